"""Optimizers: their steps against the published updates, the pulls towards zero, schedules, fleets, the switch."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.errors import UserError
from steelyard.knobs import Cosine, Knob, Linear, value
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import (
    Adadelta,
    Adam,
    AdamToSgd,
    AdamW,
    Muon,
    Optimizer,
    Rmsprop,
    SamAdamW,
    SamSgd,
    ScheduleFree,
    Sgd,
    Swats,
    parameters,
)
from steelyard.training.optimizers.switching import ProjectingAdam
from steelyard.training.start import begin, ready
from steelyard.training.stopping import Stopping

EVERY: tuple[Optimizer, ...] = (
    Sgd(lr=0.02),
    Sgd(lr=0.02, nesterov=False),
    Adam(lr=0.02),
    AdamW(lr=0.02),
    Rmsprop(lr=0.02),
    Adadelta(),
    AdamToSgd(lr=0.02, at=0.5, factor=2.0),
    Swats(lr=0.02),
    SamAdamW(lr=0.02),
    SamSgd(lr=0.02),
    Muon(lr=0.02),
    ScheduleFree(lr=0.02),
)
every = pytest.mark.parametrize("part", EVERY, ids=lambda part: part.kind + ("" if part != EVERY[1] else "-plain"))
STEPS = 24
Gradients = Callable[[list[Tensor]], list[Tensor]]


def tensors(*shapes: tuple[int, ...], seed: int = 0) -> list[Tensor]:
    stream = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=stream) for shape in shapes]


def network(seed: int = 0) -> list[Tensor]:
    """Two matrices and two vectors; every size is a multiple of 16, see the tests on fleets."""
    return tensors((8, 4), (16,), (4, 16), (32,), seed=seed)


def built(part: Optimizer, given: list[Tensor]) -> torch.optim.Optimizer:
    return part.build([p for p in given if p.ndim >= 2], [p for p in given if p.ndim < 2])


def bowl(given: list[Tensor]) -> list[Tensor]:
    """The gradients of half the sum of squares, steeper for later numbers."""
    return [p * torch.linspace(0.5, 2.0, p.numel()).view(p.shape) for p in given]


def step(part: Optimizer, optimizer: torch.optim.Optimizer, given: list[Tensor], slope: Gradients, t: float) -> None:
    """What the training loop does in one step."""

    def again() -> None:
        for p, gradient in zip(given, slope(given), strict=True):
            p.grad = gradient

    again()
    if part.moves:
        part.turn(optimizer, t)
    if part.passes > 1:
        optimizer.step(again)  # type: ignore[arg-type]
    else:
        optimizer.step()
    if part.shrinks:
        part.shrink(optimizer, t)


def run(
    part: Optimizer, given: list[Tensor], steps: int = STEPS, slope: Gradients = bowl
) -> tuple[list[Tensor], torch.optim.Optimizer]:
    """The tensors after so many steps, and the torch optimizer that took them."""
    optimizer = built(part, given)
    for i in range(steps):
        step(part, optimizer, given, slope, i / steps)
    return given, optimizer


def same(one: Iterable[Tensor], other: Iterable[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def still(given: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(p) for p in given]


# -- the published updates ------------------------------------------------------------------------------------


@every
def test_every_optimizer_goes_downhill(part: Optimizer) -> None:
    steps = 2000 if isinstance(part, Adadelta) else 300
    after, optimizer = run(part, network(), steps)
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    before, now = (sum(float((p * s).sum()) for p, s in zip(g, bowl(g), strict=True)) for g in (network(), after))
    assert now < 0.1 * before


@pytest.mark.parametrize(
    ("part", "reference"),
    [
        (AdamW(lr=0.01), lambda g: torch.optim.AdamW(g, 0.01, (0.9, 0.95), fused=True)),
        (AdamW(lr=0.01, weight_decay=0.3), lambda g: torch.optim.AdamW(g, 0.01, (0.9, 0.95), fused=True)),
        (Adam(lr=0.01, l2=0.3), lambda g: torch.optim.Adam(g, 0.01, fused=True)),
        (Sgd(lr=0.01, l2=0.3), lambda g: torch.optim.SGD(g, 0.01, 0.9, nesterov=True, fused=True)),
        (Sgd(lr=0.01, nesterov=False), lambda g: torch.optim.SGD(g, 0.01, 0.9, fused=True)),
        (Sgd(lr=0.01, momentum=0.0), lambda g: torch.optim.SGD(g, 0.01, fused=True)),
        (Rmsprop(lr=0.01, l2=0.3), lambda g: torch.optim.RMSprop(g, 0.01, foreach=True)),
        (Adadelta(l2=0.3), lambda g: torch.optim.Adadelta(g, foreach=True)),
    ],
    ids=lambda given: str(given) if isinstance(given, Optimizer) else "",
)
def test_steps_are_those_of_torch_to_the_bit(
    part: Optimizer, reference: Callable[[Any], torch.optim.Optimizer]
) -> None:
    ours, theirs = tensors((7, 5), (9,), (3, 7), (3,)), tensors((7, 5), (9,), (3, 7), (3,))
    groups = [
        {"params": [p for p in theirs if p.ndim >= 2], "weight_decay": part.weight_decay or part.l2},
        {"params": [p for p in theirs if p.ndim < 2], "weight_decay": 0.0},
    ]
    other = reference(groups)
    run(part, ours)
    for _ in range(STEPS):
        for p, gradient in zip(theirs, bowl(theirs), strict=True):
            p.grad = gradient
        other.step()
    assert same(ours, theirs)


def test_momentum_and_nesterov_are_the_published_updates() -> None:
    rate, momentum = 0.1, 0.9
    plain, ahead, v = 1.0, 1.0, 0.0
    w, u = torch.tensor([1.0]), torch.tensor([1.0])
    run(Sgd(lr=rate, momentum=momentum, nesterov=False), [w], 5, lambda g: [g[0].clone()])
    run(Sgd(lr=rate, momentum=momentum), [u], 5, lambda g: [g[0].clone()])
    for _ in range(5):
        v = momentum * v + plain
        plain -= rate * v
    v = 0.0
    for _ in range(5):
        v = momentum * v + ahead
        ahead -= rate * (ahead + momentum * v)
    assert (float(w), float(u)) == pytest.approx((plain, ahead), rel=1e-5)


def test_adadelta_and_rmsprop_are_the_published_updates() -> None:
    found = []
    for part in (Adadelta(rho=0.9, eps=1e-6), Rmsprop(lr=0.1, alpha=0.9)):
        (w,), _ = run(part, [torch.tensor([3.0])], 6, lambda g: [2 * g[0]])
        found.append(float(w))
    delta, prop = 3.0, 3.0
    squares = steps = mean = 0.0
    for _ in range(6):
        squares = 0.9 * squares + 0.1 * (2 * delta) ** 2
        change = -((steps + 1e-6) ** 0.5) / (squares + 1e-6) ** 0.5 * 2 * delta
        steps, delta = 0.9 * steps + 0.1 * change**2, delta + change
        mean = 0.9 * mean + 0.1 * (2 * prop) ** 2
        prop -= 0.1 * 2 * prop / mean**0.5
    assert found == pytest.approx([delta, prop], rel=1e-5)


# -- pulls towards zero ---------------------------------------------------------------------------------------


@every
def test_decoupled_decay_shrinks_weights_by_rate_times_decay_whatever_the_gradient(part: Optimizer) -> None:
    steps = 1 if isinstance(part, ScheduleFree) else 8  # from the second step on it decays along an average
    (matrix,), _ = run(replace(part, weight_decay=0.5), tensors((4, 4)), steps, still)
    torch.testing.assert_close(matrix, tensors((4, 4))[0] * (1 - 0.5 * value(part.lr, 0.0)) ** steps)


def test_a_decoupled_step_of_sgd_is_the_published_one() -> None:
    (w,), _ = run(Sgd(lr=0.1, momentum=0.0, weight_decay=0.2), [torch.tensor([[2.0]])], 1, lambda g: [3 * g[0]])
    assert float(w) == pytest.approx(2.0 * (1 - 0.1 * 0.2) - 0.1 * 6.0)


def test_classical_decay_is_a_part_of_the_gradient() -> None:
    (plain,), _ = run(Sgd(lr=0.1, momentum=0.0, l2=0.2), [torch.tensor([[2.0]])], 1, lambda g: [3 * g[0]])
    assert float(plain) == pytest.approx(2.0 - 0.1 * (6.0 + 0.2 * 2.0))
    for part in (Adam(lr=0.1, l2=1e-3), AdamW(lr=0.1, l2=1e-3)):  # the step of Adam does not know how strong it is
        (scaled,), _ = run(part, [torch.tensor([[2.0]])], 1, still)
        assert float(scaled) == pytest.approx(1.9, rel=1e-4)


def test_the_usual_decoupled_decay_of_sgd_is_the_usual_classical_one_at_its_momentum() -> None:
    """A classical decay of 5e-4 works through the momentum of 0.9, so it pulls ten times as long."""
    steps = 400
    classical, decoupled = (
        run(part, tensors((4, 4)), steps, still)[0][0] for part in (Sgd(0.2, l2=5e-4), Sgd(0.2, 5e-3))
    )
    assert float(decoupled.norm() / tensors((4, 4))[0].norm()) == pytest.approx((1 - 0.2 * 5e-3) ** steps, rel=1e-4)
    torch.testing.assert_close(classical, decoupled, rtol=0.01, atol=0.0)


@pytest.mark.parametrize("part", [Adam(lr=0.01, l2=0.1), AdamW(lr=0.01, beta2=0.999, l2=0.1)], ids=("own", "added"))
def test_adam_and_adam_w_agree_on_what_l2_is(part: Optimizer) -> None:
    torch.testing.assert_close(run(part, network())[0], run(Adam(lr=0.01, l2=0.1), network())[0])


@every
def test_norms_and_biases_are_not_pulled_unless_it_is_asked_for(part: Optimizer) -> None:
    for pull in ({"weight_decay": 0.5}, {"l2": 0.5}, {"l1": 0.5}):
        free, _ = run(replace(part, **pull), network(), 3, still)
        bound, _ = run(replace(part, decay_all=True, **pull), network(), 3, still)
        unmoved = [torch.equal(p, q) for p, q in zip(free, network(), strict=True)]
        assert unmoved == [False, True, False, True]
        assert not any(torch.equal(p, q) for p, q in zip(bound, network(), strict=True))


def test_l1_moves_weights_towards_zero_and_stops_there() -> None:
    (matrix, bias), _ = run(Sgd(lr=0.1, l1=1.0), [torch.tensor([[0.25, -0.9, 0.05]]), torch.tensor([0.05])], 2, still)
    torch.testing.assert_close(matrix, torch.tensor([[0.05, -0.7, 0.0]]))
    assert (float(matrix[0, 2]), float(bias)) == (0.0, pytest.approx(0.05))


def test_the_decay_of_sgd_after_the_switch_is_as_strong_as_that_of_adam_before_it() -> None:
    part = AdamToSgd(lr=0.1, weight_decay=0.5, at=0.5, factor=30.0)
    (matrix,), _ = run(part, tensors((4, 4)), 8, still)
    torch.testing.assert_close(matrix, tensors((4, 4))[0] * 0.95**8)


def test_parameters_are_parted_by_their_axes_and_frozen_ones_left_out() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2), nn.Linear(2, 2))
    module[3].requires_grad_(False)
    decaying, others = parameters(module)
    assert [tuple(p.shape) for p in decaying] == [(2, 1, 3, 3), (2, 2)]
    assert len(others) == 4


@every
def test_it_builds_when_all_parameters_are_of_one_sort_and_moves_only_those_with_a_gradient(part: Optimizer) -> None:
    for shapes in (((16,), (16,)), ((4, 4), (8, 4))):
        before, given = tensors(*shapes), tensors(*shapes)
        optimizer = built(replace(part, weight_decay=0.1, l2=0.1), given)
        for _ in range(3):
            given[0].grad = torch.ones_like(given[0])
            optimizer.step(*([lambda: None] if part.passes > 1 else []))
        assert [torch.equal(a, b) for a, b in zip(given, before, strict=True)] == [False, True]


@every
def test_parameters_of_several_types_train_side_by_side(part: Optimizer) -> None:
    given = [p.to(dtype) for p in network() for dtype in (torch.float32, torch.float64)]
    run(replace(part, weight_decay=0.1, l2=0.1), given, 3)
    for single, double in zip(given[::2], given[1::2], strict=True):
        assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
        if not isinstance(part, Muon):  # it has another last matrix to leave to AdamW, and computes in bfloat16
            torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@every
def test_on_a_gpu_it_comes_to_what_it_comes_to_on_the_processor(part: Optimizer) -> None:
    pulled = replace(part, weight_decay=0.1, l2=0.01, l1=0.01)
    steep = [torch.linspace(0.5, 2.0, p.numel()).view(p.shape).cuda() for p in network()]
    given, _ = run(
        pulled, [p.cuda() for p in network()], STEPS, lambda g: [p * s for p, s in zip(g, steep, strict=True)]
    )
    tolerance = 1e-2 if isinstance(part, Muon) else 1e-4  # Muon computes in bfloat16
    for there, here in zip(given, run(pulled, network())[0], strict=True):
        torch.testing.assert_close(there.cpu(), here, rtol=tolerance, atol=tolerance)


# -- knobs that move ------------------------------------------------------------------------------------------


def knobs() -> list[tuple[Optimizer, str]]:
    return [(part, f.name) for part in EVERY for f in fields(part) if f.type == Knob]


def test_every_optimizer_has_knobs_for_schedules() -> None:
    assert {"lr", "weight_decay", "l2", "l1", "beta1", "momentum", "rho", "hidden_momentum"} == {n for _, n in knobs()}


@pytest.mark.parametrize(("part", "name"), knobs(), ids=lambda given: given if isinstance(given, str) else given.kind)
def test_a_schedule_moves_every_knob(part: Optimizer, name: str) -> None:
    start = value(getattr(part, name), 0.0)
    ends = (start, start / 2 if start else 0.04)
    first, last, falling, flat = (
        run(replace(part, **{name: setting}), network())[0]
        for setting in (*ends, Linear(*ends), Linear(ends[0], ends[0]))
    )
    assert same(flat, first)
    assert not same(falling, first) and not same(falling, last)


@every
def test_only_schedules_and_a_switch_need_turning(part: Optimizer) -> None:
    assert part.moves == isinstance(part, AdamToSgd)
    assert replace(part, lr=Cosine(0.1, 0.0)).moves
    assert not AdamToSgd(at=1.0).moves
    assert not part.shrinks and replace(part, l1=0.1).shrinks and replace(part, l1=Linear(0.0, 0.1)).shrinks


# -- fleets ---------------------------------------------------------------------------------------------------
# Fused kernels round the last few numbers of a tensor, those that do not fill a vector of the processor, differently in
# the last place; with sizes that do, stacked members come to the bits of their solo runs. The others always do.


def together() -> list[Optimizer]:
    pulls = {"weight_decay": 0.1, "l2": 0.01, "l1": 0.01}
    return [each for part in EVERY if part.together for each in (part, replace(part, **pulls))]


@pytest.mark.parametrize("part", together(), ids=lambda part: part.kind)
def test_stacked_members_come_to_the_bits_of_their_solo_runs(part: Optimizer) -> None:
    solo = [run(part, network(seed))[0] for seed in range(3)]
    stacked = [torch.stack(each) for each in zip(*(network(seed) for seed in range(3)), strict=True)]
    optimizer = part.build([stacked[0], stacked[2]], [stacked[1], stacked[3]])
    slopes: Gradients = lambda given: [torch.stack([bowl([m])[0] for m in p]) for p in given]  # noqa: E731
    for i in range(STEPS):
        step(part, optimizer, stacked, slopes, i / STEPS)
    for member in range(3):
        assert same([each[member] for each in stacked], solo[member])


@pytest.mark.parametrize("part", together(), ids=lambda part: part.kind)
def test_a_member_that_takes_its_states_along_goes_on_as_if_alone(part: Optimizer) -> None:
    alone, _ = run(part, network(1))
    stacked = [torch.stack(each) for each in zip(network(0), network(1), strict=True)]
    optimizer = part.build([stacked[0], stacked[2]], [stacked[1], stacked[3]])
    slopes: Gradients = lambda given: [torch.stack([bowl([m])[0] for m in p]) for p in given]  # noqa: E731
    for i in range(STEPS // 3):
        step(part, optimizer, stacked, slopes, i / STEPS)
    left = [p[1].clone() for p in stacked]
    for before, now in zip(stacked, left, strict=True):
        state = optimizer.state.pop(before, {})
        optimizer.state[now] = {
            n: v[1].clone() if getattr(v, "shape", None) == before.shape else v for n, v in state.items()
        }
    for group in optimizer.param_groups:
        group["params"] = [left[next(i for i, p in enumerate(stacked) if p is q)] for q in group["params"]]
    for i in range(STEPS // 3, STEPS):
        step(part, optimizer, left, bowl, i / STEPS)
    assert same(left, alone)


def trained(optimizers: list[Optimizer], seeds: list[int], leaves: int | None = None) -> list[Tensor]:
    """The weights of small networks trained together; the member that `leaves` does so after two epochs of four."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(64, 4)), columns=list("abcd"))
    schema = Schema("tabular", "y", tuple(Column(name, "number") for name in "abcd"))
    target = (frame["a"] > frame["b"]).to_numpy().astype(np.int64)
    dataset = Dataset("rows", schema, target, ("no", "yes"), frame=frame)
    problem = Problem("binary", "tabular", "y", 64, ("no", "yes"), "accuracy")
    members = []
    for optimizer, seed in zip(optimizers, seeds, strict=True):
        recipe = Recipe(
            TablePreparation(),
            network=TabularMlp(width=8, depth=2),
            loss=CrossEntropy(),
            optimizer=optimizer,
            batch=Batch(16),
            stopping=Stopping(4),
        )
        members.append(begin(recipe, ready(recipe, dataset, problem, seed), dataset, problem, seed)[1])
    fleet = Fleet(members)
    for epochs in fleet:
        if leaves is not None and epochs[0].number == 2:
            fleet.leave(leaves)
    return [torch.cat([p.detach().flatten() for p in member.network.parameters()]) for member in members]


@every
def test_members_of_a_fleet_train_as_they_would_alone_also_when_one_leaves(part: Optimizer) -> None:
    one = replace(part, lr=Cosine(value(part.lr, 0.0) / 4, 0.0), weight_decay=0.05, l2=0.01, l1=0.001)
    optimizers, seeds = [one, one, one, replace(one, weight_decay=0.0)], [0, 1, 2, 1]
    together = trained(optimizers, seeds, leaves=1)
    tolerance = 1e-3 if isinstance(part, Muon) else 1e-5  # Muon computes in bfloat16
    for place in (0, 2, 3):
        (alone,) = trained([optimizers[place]], [seeds[place]])
        torch.testing.assert_close(together[place], alone, rtol=tolerance, atol=tolerance)


@every
def test_states_have_the_shapes_of_their_parameters(part: Optimizer) -> None:
    given, optimizer = run(part, network(), 3)
    for p in given:
        shapes = {tuple(s.shape) for n, s in optimizer.state[p].items() if isinstance(s, Tensor) and n != "step"}
        assert shapes == {tuple(p.shape)}


# -- Adam first, SGD later ------------------------------------------------------------------------------------


def swats(w: np.ndarray, slope: Any, rate: float, eps: float, steps: int) -> tuple[np.ndarray, int | None, float]:
    """Algorithm 1 of Keskar & Socher in float64, with the ε of Adam at 1e-8."""
    beta1, beta2 = 0.9, 0.999
    m, a, v, average, found, at = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w), 0.0, 0.0, None
    for k in range(1, steps + 1):
        g = slope(w)
        if at is not None:
            v = beta1 * v + g
            w = w - (1 - beta1) * found * v
            continue
        m, a = beta1 * m + (1 - beta1) * g, beta2 * a + (1 - beta2) * g**2
        p = -rate * (m / (1 - beta1**k)) / (np.sqrt(a / (1 - beta2**k)) + 1e-8)
        w = w + p
        if p @ g != 0:
            gamma = p @ p / -(p @ g)
            average = beta2 * average + (1 - beta2) * gamma
            if k > 1 and abs(average / (1 - beta2**k) - gamma) < eps:
                found, at = average / (1 - beta2**k), k
    return w, at, found


def test_swats_switches_where_the_published_algorithm_does() -> None:
    """Down a slope with waves, where the projected rate comes back to its average after a while."""
    w, at, found = swats(np.ones(16), lambda w: 1 + 0.3 * np.sin(6 * w + np.arange(16)), 0.02, 5e-6, 60)
    assert at is not None and 20 < at < 50
    waves: Gradients = lambda given: [1 + 0.3 * torch.sin(6 * given[0] + torch.arange(16))]  # noqa: E731
    (ours,), optimizer = run(Swats(lr=0.02, eps=5e-6), [torch.ones(16)], 60, waves)
    assert isinstance(optimizer, ProjectingAdam)
    assert optimizer.switched_at == at
    assert optimizer.found == pytest.approx(found, rel=1e-4)
    np.testing.assert_allclose(ours.numpy(), w, rtol=1e-3, atol=1e-5)


def test_swats_finds_the_projected_rate_of_a_slope_in_closed_form() -> None:
    slope = torch.tensor([0.5, -1.0, 2.0, 4.0])
    given, optimizer = run(Swats(lr=0.01, eps=1e-6), [torch.zeros(4)], 2, lambda _: [slope.clone()])
    assert isinstance(optimizer, ProjectingAdam)
    assert optimizer.switched_at == 2  # every step of Adam is the rate times the sign, so the first two agree
    assert optimizer.found == pytest.approx(0.01 * 4 / 7.5, rel=1e-6)
    torch.testing.assert_close(given[0], -0.02 * slope.sign())
    assert not optimizer.state


def test_swats_with_a_tolerance_switches_at_another_scale_of_the_loss_at_the_same_step() -> None:
    found = []
    for scale in (1.0, 1000.0):
        waves: Gradients = lambda g, s=scale: [s * (1 + 0.3 * torch.sin(6 * g[0] + torch.arange(16)))]  # type: ignore[misc]  # noqa: E731
        _, optimizer = run(Swats(lr=0.02, tolerance=3e-4), [torch.ones(16)], 60, waves)
        assert isinstance(optimizer, ProjectingAdam) and optimizer.switched_at is not None
        found.append((optimizer.switched_at, optimizer.found))
    assert found[0][0] == found[1][0] > 2
    assert found[0][1] == pytest.approx(1000 * found[1][1], rel=1e-3)


def test_a_falling_rate_alone_does_not_keep_swats_from_switching() -> None:
    slope = torch.tensor([0.5, -1.0, 2.0, 4.0])
    _, optimizer = run(Swats(lr=Linear(0.02, 0.0), eps=1e-6), [torch.zeros(4)], 4, lambda _: [slope.clone()])
    assert isinstance(optimizer, ProjectingAdam)
    assert (optimizer.switched_at, optimizer.found) == (2, pytest.approx(0.015 * 4 / 7.5, rel=1e-6))


def test_swats_goes_on_with_sgd_at_the_rate_it_found_and_a_schedule_scales_it() -> None:
    slope = torch.tensor([0.5, -1.0, 2.0, 4.0])
    part = Swats(lr=Linear(0.02, 0.0), eps=1.0)
    given = [torch.zeros(4)]
    optimizer = built(part, given)
    wanted, velocity = torch.zeros(4), torch.zeros(4)
    for i, progress in enumerate((0.5, 0.5, 0.5, 0.75, 1.0)):
        step(part, optimizer, given, lambda _: [slope.clone()], progress)
        if i < 2:
            wanted -= 0.01 * slope.sign()
        else:
            velocity = 0.9 * velocity + slope
            wanted -= 0.1 * (0.01 * 4 / 7.5) * {0.5: 1.0, 0.75: 0.5, 1.0: 0.0}[progress] * velocity
        torch.testing.assert_close(given[0], wanted)
    assert set(optimizer.state[given[0]]) == {"momentum_buffer"}


def test_swats_that_never_switches_is_adam_w_to_the_bit() -> None:
    pulls = {"weight_decay": 0.1, "l2": 0.01, "l1": 0.01}
    given, optimizer = run(Swats(lr=0.02, beta2=0.95, eps=0.0, **pulls), network())
    assert same(given, run(AdamW(lr=0.02, **pulls), network())[0])
    assert isinstance(optimizer, ProjectingAdam)
    assert optimizer.switched_at is None and optimizer.found is None


def test_a_switch_at_a_share_of_training_is_adam_w_before_and_sgd_after() -> None:
    part = AdamToSgd(lr=0.02, at=0.5, factor=3.0)
    given = network()
    optimizer = built(part, given)
    for i in range(STEPS // 2):
        step(part, optimizer, given, bowl, i / STEPS)
    assert same(given, run(AdamW(lr=0.02), network(), STEPS // 2)[0])
    middle = [p.clone() for p in given]
    for i in range(STEPS // 2, STEPS):
        step(part, optimizer, given, bowl, i / STEPS)
    assert same(given, run(Sgd(lr=0.02 * 3.0, nesterov=False), middle, STEPS // 2)[0])
    assert {name for p in given for name in optimizer.state[p]} == {"momentum_buffer"}


def test_a_switch_at_the_end_never_comes() -> None:
    assert same(run(AdamToSgd(lr=0.02, at=1.0), network())[0], run(AdamW(lr=0.02), network())[0])


# -- two passes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "base"), [(SamAdamW(rho=0.3), AdamW()), (SamSgd(rho=0.3), Sgd())])
def test_sam_takes_the_gradient_rho_away_uphill_and_steps_from_where_it_was(part: Optimizer, base: Optimizer) -> None:
    given = network()
    optimizer = built(part, given)
    for p, gradient in zip(given, bowl(given), strict=True):
        p.grad = gradient
    norm = torch.sqrt(sum((g**2).sum() for g in bowl(network())))  # type: ignore[arg-type]
    uphill: list[Tensor] = []

    def again() -> None:
        uphill.extend(p.clone() for p in given)
        for p, gradient in zip(given, bowl(uphill), strict=True):
            p.grad = gradient

    optimizer.step(again)  # type: ignore[arg-type]
    for p, before, gradient in zip(uphill, network(), bowl(network()), strict=True):
        torch.testing.assert_close(p, before + 0.3 * gradient / norm)
    assert same(given, run(base, network(), 1, lambda _: bowl(uphill))[0])


@pytest.mark.parametrize(("part", "base"), [(SamAdamW, AdamW), (SamSgd, Sgd)])
def test_sam_at_rho_zero_is_its_base_to_the_bit_in_one_pass(part: type[Optimizer], base: type[Optimizer]) -> None:
    pulls = {"weight_decay": 0.1, "l2": 0.01, "l1": 0.01}
    given, passes = network(), []
    off = part(rho=0.0, **pulls)
    optimizer = built(off, given)
    for i in range(STEPS):
        for p, gradient in zip(given, bowl(given), strict=True):
            p.grad = gradient
        optimizer.step(lambda: passes.append(1))  # type: ignore[arg-type]
        off.shrink(optimizer, i / STEPS)
    assert same(given, run(base(**pulls), network())[0])
    assert not passes


def test_sam_adds_l2_to_the_second_gradient_only() -> None:
    (w,), _ = run(SamSgd(lr=0.1, momentum=0.0, rho=0.5, l2=0.2), [torch.tensor([[2.0]])], 1, lambda g: [3 * g[0]])
    assert float(w) == pytest.approx(2.0 - 0.1 * (3 * 2.5 + 0.2 * 2.0))


# -- schedule-free --------------------------------------------------------------------------------------------


def test_schedule_free_is_the_published_update() -> None:
    steep = np.linspace(0.5, 2.0, 4)
    x, z, v, total = np.ones(4), np.ones(4), np.zeros(4), 0.0
    rates = [0.01, 0.02, 0.03, 0.03, 0.03, 0.03]
    for k, rate in enumerate(rates, 1):
        y = 0.1 * z + 0.9 * x
        v = 0.999 * v + 0.001 * (steep * y) ** 2
        z = z - rate * steep * y / (np.sqrt(v / (1 - 0.999**k)) + 1e-8) - rate * 0.2 * y
        total += rate**2
        x = x + rate**2 / total * (z - x)
    given = [torch.ones(4, 1)]
    optimizer = built(ScheduleFree(weight_decay=0.2), given)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        given[0].grad = torch.from_numpy(steep).float().view(4, 1) * given[0]
        optimizer.step()
    torch.testing.assert_close(given[0].flatten(), torch.from_numpy(0.1 * z + 0.9 * x).float())
    optimizer.eval()
    torch.testing.assert_close(given[0].flatten(), torch.from_numpy(x).float())


def test_schedule_free_looks_with_the_average_and_goes_on_unchanged() -> None:
    part = ScheduleFree(lr=0.02, l1=0.1, weight_decay=0.1)
    looked, straight = network(), network()
    for given in (looked, straight):
        optimizer = built(part, given)
        for i in range(STEPS):
            step(part, optimizer, given, bowl, i / STEPS)
            if given is looked:
                optimizer.eval()
                seen = [p.clone() for p in given]
                optimizer.train()
    assert same(looked, straight)
    assert not same(seen, looked)


def test_schedule_free_comes_to_what_the_library_of_its_authors_comes_to() -> None:
    library = pytest.importorskip("schedulefree", reason="the library schedulefree is not installed")
    ours, theirs = network(), network()
    run(ScheduleFree(lr=0.02, weight_decay=0.1, decay_all=True), ours)
    optimizer = library.AdamWScheduleFree(theirs, 0.02, weight_decay=0.1)
    optimizer.train()
    for _ in range(STEPS):
        for p, gradient in zip(theirs, bowl(theirs), strict=True):
            p.grad = gradient
        optimizer.step()
    torch.testing.assert_close(ours, theirs)


# -- Muon -----------------------------------------------------------------------------------------------------


def test_muon_makes_the_steps_of_hidden_matrices_orthogonal() -> None:
    before, given = tensors((16, 32), (10, 16)), tensors((16, 32), (10, 16))
    run(Muon(lr=0.1), given, 1, lambda g: tensors((16, 32), (10, 16), seed=1))
    singular = torch.linalg.svdvals(given[0] - before[0]) / (0.1 * 0.2 * 32**0.5)
    assert singular.min() > 0.5 and singular.max() < 1.5


def test_muon_leaves_vectors_and_the_last_matrix_to_adam_w() -> None:
    ours, theirs = (run(part, network())[0] for part in (Muon(lr=0.02), AdamW(lr=0.02)))
    assert [torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)] == [False, True, True, True]


def test_muon_moves_kernels_whose_channels_come_last_alike() -> None:
    found = []
    for form in (torch.contiguous_format, torch.channels_last):
        kernel, last = tensors((8, 4, 3, 3), (2, 8))
        slopes = tensors((8, 4, 3, 3), (2, 8), seed=1)
        given = [kernel.contiguous(memory_format=form), last]
        slopes[0] = slopes[0].contiguous(memory_format=form)
        found.append(run(Muon(lr=0.02), given, 3, lambda _, s=slopes: [g.clone() for g in s])[0][0])
    assert found[1].is_contiguous(memory_format=torch.channels_last)
    assert not torch.equal(found[0], tensors((8, 4, 3, 3))[0])
    torch.testing.assert_close(found[0], found[1], rtol=1e-2, atol=1e-3)  # it computes in bfloat16


def test_muon_says_which_torch_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(UserError, match=r"needs torch 2\.9 or later"):
        built(Muon(), network())
