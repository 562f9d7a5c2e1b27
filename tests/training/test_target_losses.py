"""Losses of labels, several targets and ordered classes: slopes, gaps, weights, and fleets of such networks."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_fleet import RECIPE, assert_same, trained
from torch import Tensor
from torch.nn import functional as F

from steelyard.data.prepared import TableShape
from steelyard.errors import UserError
from steelyard.knobs import parse_knob
from steelyard.parts import Loss
from steelyard.problem import Head, Problem
from steelyard.recipe import Recipe
from steelyard.techniques import technique
from steelyard.training.feed import Rows
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member
from steelyard.training.scale import TargetScale, TargetScales, answered, learnt, loss_of, scale_of
from steelyard.training.target_losses import BinaryCrossEntropy, JointLoss, OrdinalCrossEntropy

NO_YES = ("no", "yes")
LABELS = Problem(
    "multilabel", "tabular", "p, q, r", 40, (), "f1_micro", heads=tuple(Head(n, "binary", NO_YES) for n in "pqr")
)
KINDS = Problem(
    "multitask", "tabular", "p, q", 40, (), "d2", heads=(Head("p", "multiclass", ("a", "b")), Head("q", "regression"))
)
RANKS = Problem("ordinal", "tabular", "y", 40, ("l", "m", "h"), "mae")
LOSSES: dict[str, tuple[Loss, Problem]] = {
    "labels": (BinaryCrossEntropy(), LABELS),
    "smoothed labels": (BinaryCrossEntropy(label_smoothing=0.2), LABELS),
    "weighted labels": (BinaryCrossEntropy(class_weights=0.7), LABELS),
    "kinds": (JointLoss(label_smoothing=0.1), KINDS),
    "weighted kinds": (JointLoss(weights=(1.0, 3.0)), KINDS),
    "ranks": (OrdinalCrossEntropy(), RANKS),
    "smoothed ranks": (OrdinalCrossEntropy(label_smoothing=0.1, nominal=0.3), RANKS),
}


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def targets(problem: Problem, n: int = 44, seed: int = 0) -> Tensor:
    """What three outputs are compared with, with some targets missing."""
    random = np.random.default_rng(seed)
    if problem is RANKS:
        return torch.eye(3)[torch.from_numpy(random.integers(0, 3, n))]
    if problem is LABELS:
        truth = (random.random((n, 3)) < [0.5, 0.3, 0.1]).astype(float)
    else:
        truth = np.column_stack([random.integers(0, 2, n), random.normal(size=n)]).astype(float)
    truth[::6, 1] = np.nan
    return learnt(problem, None, truth).double()


@pytest.mark.parametrize("name", LOSSES)
def test_the_closed_form_is_the_gradient_of_the_loss(name: str) -> None:
    part, problem = LOSSES[name]
    truth = targets(problem)
    loss = part.fitted(problem, truth)
    outputs = torch.randn(2, 44, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    both = torch.stack([truth, truth.flip(0)])
    losses, slope = loss.slope(outputs.detach(), both, 0.5)
    expected = loss.per_example(outputs, both, 0.5)
    assert torch.allclose(losses, expected)
    assert torch.allclose(slope, torch.autograd.grad(expected.sum(), outputs)[0])


@pytest.mark.parametrize("name", LOSSES)
def test_a_missing_target_has_no_loss_and_far_outputs_stay_finite(name: str) -> None:
    part, problem = LOSSES[name]
    truth = targets(problem)
    loss = part.fitted(problem, truth)
    outputs = torch.full((44, 3), 300.0) * torch.tensor([1.0, -1.0, 0.5])
    losses, slope = loss.slope(outputs.float(), truth.float(), 0.0)
    assert torch.isfinite(losses).all()
    assert torch.isfinite(slope).all()
    assert (slope[truth.isnan()] == 0).all()


def test_labels_are_learnt_by_binary_cross_entropy() -> None:
    truth = targets(LABELS).nan_to_num(0.0)
    outputs = torch.randn(44, 3)
    expected = F.binary_cross_entropy_with_logits(outputs, truth, reduction="none").mean(-1)
    assert torch.allclose(BinaryCrossEntropy().per_example(outputs, truth, 0.0), expected)


def test_yes_and_no_of_a_label_weigh_as_much_in_all_when_its_classes_are_balanced() -> None:
    truth = targets(LABELS).nan_to_num(0.0)
    loss = BinaryCrossEntropy(class_weights=1.0).fitted(LABELS, truth)
    _, slope = loss.slope(torch.zeros(44, 3), truth, 0.0)
    assert torch.allclose(slope.sum(0), torch.zeros(3), atol=1e-12)
    yes, no = loss._parts(truth, 0.0)
    assert torch.allclose((yes + no).mean(0), torch.ones(3))


def test_the_weights_of_labels_are_counted_on_train_rows_and_not_kept_in_the_recipe() -> None:
    part = BinaryCrossEntropy(class_weights=0.5)
    assert part.fitted(LABELS, targets(LABELS)).shares != ()
    assert part.fitted(LABELS, targets(LABELS)).plain() == {
        "label_smoothing": 0.0,
        "class_weights": 0.5,
    }
    assert BinaryCrossEntropy().fitted(LABELS, targets(LABELS)) == BinaryCrossEntropy()


def test_a_target_weighs_one_over_its_loss_where_weights_are_learnt() -> None:
    problem = replace(KINDS, task="multioutput", heads=(Head("p", "regression"), Head("q", "regression")))
    truth = torch.tensor([[1.0, 10.0], [-1.0, -10.0], [1.0, float("nan")]])
    loss = JointLoss(by_uncertainty=1.0).fitted(problem, truth)
    losses, slope = loss.slope(torch.zeros(3, 2), truth, 0.0)
    weights = torch.tensor([1 / 0.5, 1 / 50.0])
    weights = weights / weights.mean()
    assert torch.allclose(slope[:2], -truth[:2] * weights / 2)
    assert losses[0] == pytest.approx(float((0.5 * weights[0] + 50 * weights[1]) / 2))
    assert torch.allclose(loss.per_example(torch.zeros(3, 2), truth, 0.0), torch.tensor([25.25, 25.25, 0.25]))


def test_fixed_weights_must_be_one_a_target() -> None:
    for weights in ((1.0,), (1.0, -1.0), (0.0, 0.0)):
        with pytest.raises(UserError, match=r"loss.weights needs a number from 0 for each of 2 targets"):
            JointLoss(weights=weights).fitted(KINDS, targets(KINDS))


def test_a_farther_class_costs_more_where_classes_have_an_order() -> None:
    truth = torch.eye(4)[torch.tensor([0, 0, 0])]
    outputs = 3.0 * torch.eye(4)[torch.tensor([1, 2, 3])]
    near, far = OrdinalCrossEntropy(), OrdinalCrossEntropy(nominal=1.0)
    assert near.per_example(outputs, truth, 0.0).diff().min() > 0.1
    plain = CrossEntropy().per_example(outputs, truth, 0.0)
    assert torch.allclose(far.per_example(outputs, truth, 0.0), plain)


def test_two_ordered_classes_are_learnt_by_cross_entropy() -> None:
    outputs, truth = torch.randn(9, 2), torch.eye(2)[torch.arange(9) % 2]
    for one, other in zip(
        OrdinalCrossEntropy().slope(outputs, truth, 0.0), CrossEntropy().slope(outputs, truth, 0.0), strict=True
    ):
        assert torch.allclose(one, other)


# -- scales ------------------------------------------------------------------------------------------------------


def test_values_are_learnt_on_a_scale_each_and_come_back_in_their_units() -> None:
    random = np.random.default_rng(0)
    truth = np.column_stack([random.integers(0, 2, 50), random.normal(1000, 50, 50)])
    truth[3] = [np.nan, np.nan]
    scale = scale_of(KINDS, truth, False)
    assert isinstance(scale, TargetScales)
    rows = learnt(KINDS, scale, truth)
    assert rows.shape == (50, 3)
    assert rows[3].isnan().all()
    assert float(rows[:, 2].nanmean()) == pytest.approx(0, abs=1e-6)
    sure = torch.cat([rows[:, :2] * 40, rows[:, 2:]], dim=1).nan_to_num(0.0)
    back = answered(KINDS, scale, sure)
    there = np.arange(50) != 3
    assert back[there, 2] == pytest.approx(truth[there, 1], rel=1e-4)
    assert back[there, :2].argmax(1).tolist() == truth[there, 0].tolist()
    assert loss_of(KINDS, scale, truth, back) == pytest.approx(0, abs=1e-6)


def test_logarithms_need_values_above_minus_one() -> None:
    problem = replace(KINDS, task="multioutput", heads=(Head("p", "regression"), Head("q", "regression")))
    with pytest.raises(UserError, match="needs values above -1"):
        scale_of(problem, np.array([[1.0, -2.0], [2.0, 3.0]]), True)
    scale = scale_of(problem, np.array([[1.0, 2.0], [2.0, 30.0]]), True)
    assert isinstance(scale, TargetScales)
    assert all(isinstance(each, TargetScale) and each.log for each in scale.each)


# -- fleets ------------------------------------------------------------------------------------------------------


def member(recipe: Recipe, problem: Problem, seed: int, data: Rows) -> Member:
    assert recipe.network is not None
    assert recipe.loss is not None
    torch.manual_seed(seed)
    network = recipe.network.build(TableShape(5, (3, 9)), problem.outputs)
    return Member(network, replace(recipe, loss=recipe.loss.fitted(problem, data.targets)), data, seed)


def rows(problem: Problem, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    inputs = (torch.from_numpy(random.normal(size=(44, 5))), torch.from_numpy(random.integers(0, [3, 9], (44, 2))))
    return Rows(inputs, targets(problem, seed=seed), np.arange(44) % 3 if problem is RANKS else None)


@pytest.mark.parametrize("name", LOSSES)
def test_a_fleet_comes_to_what_its_members_come_to_alone(name: str) -> None:
    part, problem = LOSSES[name]
    recipe = replace(RECIPE, loss=part, optimizer=replace(RECIPE.optimizer, lr=parse_knob("0.01")))  # type: ignore[type-var]
    mixed = technique("mixup")().apply(recipe, problem)
    assert isinstance(mixed, Recipe)
    data = [rows(problem, 0), rows(problem, 1), rows(problem, 0)]
    plans = [recipe, recipe, mixed]
    together = [member(plan, problem, k, mine) for k, (plan, mine) in enumerate(zip(plans, data, strict=True))]
    alone = [member(plan, problem, k, mine) for k, (plan, mine) in enumerate(zip(plans, data, strict=True))]
    trained(together)
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other)
