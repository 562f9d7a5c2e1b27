"""The doctor beside a run: silent where training goes well, and it names what goes wrong while it does."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from live_loops import (
    Attention,
    Convolutions,
    Logarithm,
    Recurrent,
    classes,
    images,
    nothing,
    seeded,
    squares,
    tokens,
    watched,
)
from programs import blobs, mlp, values
from torch import nn
from torch.nn import functional as F

from steelyard.doctor.live import Doctor, DoctorWarning

SGD, Adam = torch.optim.SGD, torch.optim.Adam


def warm_up_and_down(step: int) -> float:
    return step / 60 if step < 60 else 0.5 * (1 + math.cos(math.pi * min(1.0, (step - 60) / 300)))


def adam(model: nn.Module, rate: float = 1e-3, **how: Any) -> Doctor:
    return watched(model, Adam(model.parameters(), rate), **how)


def sgd(model: nn.Module, rate: float, **how: Any) -> Doctor:
    return watched(model, SGD(model.parameters(), rate), **how)


def fine_tuned(all_given: bool) -> Doctor:
    """The first layer is frozen, or just not given to the optimizer."""
    model = mlp()
    model[0].requires_grad_(all_given)
    trained = model[2:].parameters() if all_given else filter(lambda p: p.requires_grad, model.parameters())
    return watched(model, Adam(trained, 1e-3))


def sigmoid_outputs() -> Doctor:
    def loss(model: nn.Module, batch: Any) -> torch.Tensor:
        return F.binary_cross_entropy(model(batch[0])[:, 0], (batch[1] > 1).float())

    return adam(
        seeded(lambda: nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())), 1e-2, loss_of=loss
    )


def adversaries() -> Doctor:
    torch.manual_seed(0)
    maker = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    critic = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(), nn.Linear(32, 1))
    one, two = Adam(maker.parameters(), 1e-3), Adam(critic.parameters(), 1e-3)
    yes, no = torch.ones(64, 1), torch.zeros(64, 1)
    judge = F.binary_cross_entropy_with_logits
    with Doctor(nn.ModuleDict({"maker": maker, "critic": critic}), [one, two], on_finding=nothing) as doctor:
        for _ in range(320):
            two.zero_grad()
            made = maker(torch.randn(64, 4))
            (judge(critic(torch.randn(64, 2) / 2 + 1), yes) + judge(critic(made.detach()), no)).backward()
            two.step()
            one.zero_grad()
            loss = judge(critic(made), yes)
            loss.backward()
            one.step()
            doctor.step(loss)
    return doctor


def closures() -> Doctor:
    model = mlp()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    batch = [torch.cat(each) for each in zip(*blobs(), strict=True)]

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = classes(model, batch)
        loss.backward()
        return loss

    with Doctor(model, optimizer, on_finding=nothing) as doctor:
        for _ in range(60):
            doctor.step(optimizer.step(closure))
    return doctor


HEALTHY: dict[str, Callable[[], Doctor]] = {
    "Adam": lambda: adam(mlp()),
    "Adam, fast": lambda: adam(mlp(), 1e-2),
    "SGD": lambda: sgd(mlp(), 0.1),
    "values": lambda: adam(mlp(6, 1), 3e-3, batches=values(), loss_of=squares),
    "convolutions": lambda: adam(seeded(Convolutions), batches=images()),
    "convolutions, SGD": lambda: sgd(seeded(Convolutions), 0.1, batches=images()),
    "recurrent, clipped": lambda: adam(seeded(Recurrent), 1e-2, batches=tokens(), clip=1.0),
    "attention, warmed up": lambda: adam(seeded(Attention), 2e-3, batches=tokens(), schedule=warm_up_and_down),
    "long warm-up": lambda: sgd(mlp(), 0.1, epochs=160, schedule=lambda k: min(1.0, k / 400)),
    "rate to zero": lambda: adam(mlp(), schedule=lambda k: max(0.0, 1 - k / 480)),
    "frozen": lambda: fine_tuned(False),
    "partly optimized": lambda: fine_tuned(True),
    "accumulated": lambda: adam(mlp(), 3e-3, accumulate=4, epochs=100),
    "dropout": lambda: adam(
        seeded(lambda: nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 4)))
    ),
    "batches of one row": lambda: sgd(mlp(), 0.01, batches=blobs(batch=1), epochs=4),
    "sigmoid outputs": sigmoid_outputs,
    "two networks against each other": adversaries,
    "LBFGS": closures,
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_run_that_goes_well_has_no_finding(name: str) -> None:
    doctor = HEALTHY[name]()
    assert doctor.health.healthy, [(each.code, each.saw) for each in doctor.findings]
    assert any(len(layer.update.values) > 3 for layer in doctor.health.layers)


def biased(model: nn.Module, layer: nn.Module, bias: float) -> nn.Module:
    nn.init.constant_(layer.bias, bias)
    return model


def never_zeroed() -> Doctor:
    model = mlp()
    optimizer = SGD(model.parameters(), 1e-2)
    with Doctor(model, optimizer, on_finding=nothing) as doctor:
        for batch in blobs() * 6:
            loss = classes(model, batch)
            loss.backward()
            optimizer.step()
            doctor.step(loss)
    return doctor


def never_stepped() -> Doctor:
    model = mlp()
    with Doctor(model, on_finding=nothing) as doctor:
        for batch in blobs() * 13:
            model.zero_grad()
            loss = classes(model, batch)
            loss.backward()
            doctor.step(loss)
    return doctor


def rounded_away() -> Doctor:
    """In bfloat16 a step of so small a rate is lost in the first layer, whose weights are large."""
    model = mlp()
    with torch.no_grad():
        model[2].weight.mul_(0.01)
    model.bfloat16()
    groups = [
        {"params": model[2].parameters(), "lr": 0.1},
        {"params": [*model[0].parameters(), *model[4].parameters()]},
    ]
    optimizer = SGD(groups, 1e-6)
    return watched(model, optimizer, loss_of=lambda m, b: F.cross_entropy(m(b[0].bfloat16()).float(), b[1]), epochs=10)


def random_labels() -> Doctor:
    random = torch.Generator().manual_seed(0)
    model = mlp()
    return adam(
        model,
        loss_of=lambda m, b: F.cross_entropy(m(b[0]), torch.randint(4, b[1].shape, generator=random)),
    )


def tanhs(depth: int = 2) -> nn.Module:
    body = [m for _ in range(depth) for m in (nn.Linear(32, 32), nn.Tanh())]
    return seeded(lambda: nn.Sequential(nn.Linear(10, 32), nn.Tanh(), *body, nn.Linear(32, 4)))


def sigmoids() -> nn.Module:
    body = [m for _ in range(14) for m in (nn.Sigmoid(), nn.Linear(16, 16))]
    return seeded(lambda: nn.Sequential(nn.Linear(10, 16), *body, nn.Linear(16, 4)))


def one_class() -> nn.Module:
    model = mlp()
    nn.init.zeros_(model[4].weight)
    with torch.no_grad():
        model[4].bias.copy_(torch.tensor([9.0, 0.0, 0.0, 0.0]))
    return model


FAULTS: dict[str, tuple[str, Callable[[], Doctor]]] = {
    "no zero_grad": ("SY407", never_zeroed),
    "no step": ("SY408", never_stepped),
    "a rate of zero": ("SY408", lambda: sgd(mlp(), 0.0, epochs=8)),
    "another model's optimizer": ("SY408", lambda: watched(mlp(), SGD(mlp().parameters(), 0.1), epochs=2)),
    "steps lost to rounding": ("SY408", rounded_away),
    "clipped away": ("SY409", lambda: sgd(mlp(), 0.1, clip=1e-3, epochs=20)),
    "dead units": ("SY403", lambda: adam((m := mlp()) and biased(m, m[0], -30.0), epochs=12)),
    "dead units behind a function": (
        "SY403",
        lambda: adam((m := seeded(Convolutions)) and biased(m, m.two, -30.0), batches=images(), epochs=12),
    ),
    "saturated": ("SY404", lambda: adam(tanhs(), batches=[(x * 300, y) for x, y in blobs()], epochs=12)),
    "vanishing": ("SY402", lambda: sgd(sigmoids(), 1e-2, epochs=12)),
    "leaps at once": ("SY502", lambda: sgd(mlp(), 3.0, epochs=12)),
    "leaps, values": ("SY502", lambda: sgd(mlp(6, 1), 0.5, batches=values(), loss_of=squares, epochs=20)),
    "huge steps of Adam": ("SY502", lambda: adam(mlp(), 1.0, epochs=20)),
    "creeps, Adam": ("SY503", lambda: adam(mlp(), 1e-6, epochs=20)),
    "creeps, SGD": ("SY503", lambda: sgd(mlp(), 1e-5, epochs=20)),
    "slow": ("SY503", lambda: adam(mlp(), 1e-5, epochs=40)),
    "random labels": ("SY504", random_labels),
    "oscillates": ("SY505", lambda: sgd(mlp(6, 1), 0.25, batches=values(), loss_of=squares)),
    "overflows": ("SY506", lambda: sgd(mlp(), 10.0, epochs=4)),
    "too short": ("SY512", lambda: adam(mlp(), epochs=8)),
    "one class": ("SY607", lambda: sgd(one_class(), 1e-6, epochs=14)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named_while_it_trains(name: str) -> None:
    code, run = FAULTS[name]
    doctor = run()
    grave = {each.code for each in doctor.findings if each.severity != "tip"}
    assert code in grave, (grave, doctor.record.losses.values[-5:])
    assert all("step" in each.evidence for each in doctor.findings)


def broken_root(model: nn.Module, batch: Any) -> torch.Tensor:
    out = model(batch[0])
    return F.cross_entropy(out, batch[1]) + (out - out).sum().sqrt()


def broken_log(model: nn.Module, batch: Any) -> torch.Tensor:
    out = model(batch[0])
    return F.cross_entropy(out, batch[1]) + (out - out).sum().log()


def poisoned() -> list[Any]:
    batches = blobs()
    batches[3][0][2, 2] = float("nan")
    return batches


def poisoned_weight() -> nn.Module:
    model = mlp()
    with torch.no_grad():
        model[2].weight[0, 0] = float("inf")
    return model


@pytest.mark.parametrize(
    ("code", "step", "place", "run"),
    [
        ("SY506", 4, "the inputs of the batch", lambda: adam(mlp(), batches=poisoned(), epochs=1)),
        ("SY506", 1, "the model (Logarithm), before two", lambda: adam(seeded(Logarithm), epochs=1)),
        ("SY506", 1, "2.weight, which was not finite before", lambda: adam(poisoned_weight(), epochs=1)),
        ("SY506", 1, "in the loss function", lambda: adam(mlp(), loss_of=broken_log, epochs=1)),
        ("SY401", 1, "that of 4.bias", lambda: adam(mlp(), loss_of=broken_root, epochs=1)),
    ],
)
def test_the_first_nan_is_traced_to_where_and_when_it_arose(code: str, step: int, place: str, run: Any) -> None:
    first = run().findings[0]
    assert first.code == code
    assert first.evidence["step"] == step
    assert place in first.saw


def test_a_nan_between_two_looks_is_traced_too() -> None:
    batches = blobs()
    batches[5][0][:] = 1e38
    model = mlp()
    with torch.no_grad():
        model[2].weight.mul_(100)
    first = adam(model, 1e-4, batches=batches, epochs=1).findings[0]
    assert (first.code, first.evidence["step"]) == ("SY506", 6)
    assert "Linear" in first.saw


def test_findings_are_warnings_at_the_line_of_the_user_once_each() -> None:
    model = mlp()
    optimizer = SGD(model.parameters(), 0.0)
    with pytest.warns(DoctorWarning, match=r"SY408 The weights do not move.*optimizer\.step") as caught:
        watched(model, optimizer, epochs=20, on_finding=_default())
    assert len([each for each in caught if "SY408" in str(each.message)]) == 1
    assert caught[0].filename.endswith("live_loops.py")


def _default() -> Any:
    from steelyard.doctor.live.watching import warn

    return warn


def test_codes_can_be_ignored() -> None:
    assert not adam(mlp(), 1e-6, epochs=20, ignore=("SY5",)).findings
