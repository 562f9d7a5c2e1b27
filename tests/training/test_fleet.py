"""Fleets: members trained together come to what they come to alone, and leave one by one."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepared import ImageShape, TableShape
from steelyard.knobs import parse_knob
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import catalogue
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.training.averaging import Ema, Swa
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.loop import Epoch
from steelyard.training.losses import CrossEntropy, HuberError, SquaredError
from steelyard.training.member import Member
from steelyard.training.optimizers import AdamW, Rmsprop, Sgd
from steelyard.training.stopping import Rule, Stopping
from steelyard.training.team import Team

STEPS = 50
RECIPE = Recipe(
    TablePreparation(),
    network=TabularMlp(width=16, depth=2, periodic=3, onehot=3),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=parse_knob("cosine(0.01, 0)")),
    batch=Batch(8),
    stopping=Stopping(epochs=10),
)
PROBLEM = Problem("multiclass", "tabular", "y", 40, ("a", "b", "c"), "accuracy")


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    """Parity is a matter of float64: in float32 Adam lets rounding drift apart by a few rates."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def rows(seed: int = 0, n: int = 44) -> Rows:
    """44 rows of 5 numbers and 2 categories in 3 classes: 5 steps of 8 rows an epoch."""
    random = np.random.default_rng(seed)
    classes = random.choice(3, n, p=[0.6, 0.3, 0.1])
    numbers = random.normal(size=(n, 5)) + classes[:, None]
    codes = random.integers(0, [3, 9], (n, 2))
    return Rows((torch.from_numpy(numbers), torch.from_numpy(codes)), torch.eye(3)[torch.from_numpy(classes)], classes)


def member(recipe: Recipe, seed: int, data: Rows | None = None, held: Rows | None = None) -> Member:
    assert recipe.network is not None and recipe.loss is not None
    torch.manual_seed(seed)
    network, learnt = recipe.network.build(TableShape(5, (3, 9)), 3), data or rows()
    return Member(network, replace(recipe, loss=recipe.loss.fitted(None, learnt.targets)), learnt, seed, held)


def trained(members: list[Member]) -> list[list[Epoch]]:
    """The epochs of every member."""
    found: list[list[Epoch]] = [[] for _ in members]
    for epochs in Fleet(members):
        for epoch in epochs:
            found[epoch.member].append(epoch)
    return found


def assert_same(together: Member, alone: Member, tolerance: float = 1e-9) -> None:
    one, other = together.network.state_dict(), alone.network.state_dict()
    assert one.keys() == other.keys()
    for name in one:
        assert torch.allclose(one[name], other[name], rtol=0, atol=tolerance), name


def assert_as_alone(recipes: list[Recipe], data: list[Rows] | None = None) -> None:
    """Train members of these recipes together and one by one; losses and weights must agree."""
    given = data or [rows()] * len(recipes)
    together, alone = (
        [member(r, seed, d) for seed, (r, d) in enumerate(zip(recipes, given, strict=True))] for _ in "ab"
    )
    epochs = trained(together)
    assert len(Fleet([member(r, 0, d) for r, d in zip(recipes, given, strict=True)])._waiting) == 1, "not one team"
    for number, mine in enumerate(alone):
        (expected,) = trained([mine])
        assert [e.train_loss for e in epochs[number]] == pytest.approx([e.train_loss for e in expected], abs=1e-9)
        assert_same(together[number], mine)


# -- parity ---------------------------------------------------------------------------------------------------


def test_each_seed_equals_its_solo_run_after_fifty_steps() -> None:
    assert Batch(8).size * 5 * 10 == 8 * STEPS
    assert_as_alone([RECIPE] * 4)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer.lr": "0.003"},
        {"optimizer.weight_decay": "linear(0, 0.2)"},
        {"optimizer.l1": "0.01"},
        {"loss.label_smoothing": "linear(0.2, 0)"},
        {"loss.class_weights": "0.5"},
        {"batch.oversample": "1"},
        {"loss.effective_number": "0.9"},
        {"loss.focal": "linear(2, 0.5)"},
        {"loss.logit_adjustment": "1"},
        {"loss.logit_adjustment": "1", "loss.class_weights": "0.5", "loss.focal": "2"},
        {"network.dropout": "linear(0, 0.5)"},
        {"network.dropout": "0.3"},
        {"network.input_dropout": "0.2"},
        {"network.normalization": "batch"},
        {"network.normalization": "layer"},
    ],
)
def test_members_with_other_knobs_equal_their_solo_runs(settings: dict[str, str]) -> None:
    changed = RECIPE
    for path, text in settings.items():
        changed = changed.set(path, text)
    shapes_stay = "network.normalization" not in settings
    assert_as_alone([RECIPE, changed, changed, RECIPE] if shapes_stay else [changed] * 3)


@pytest.mark.parametrize("optimizer", [Sgd(lr=0.05), Rmsprop(lr=0.001), AdamW(lr=0.01, l2=0.1)], ids=lambda o: o.kind)
def test_members_with_other_optimizers_equal_their_solo_runs(optimizer: AdamW) -> None:
    assert_as_alone([RECIPE, replace(RECIPE, optimizer=optimizer), replace(RECIPE, optimizer=optimizer)])


@pytest.mark.parametrize("averaging", [Ema(0.3), Swa(0.5)], ids=lambda a: a.kind)
def test_averages_of_members_equal_those_of_solo_runs(averaging: Ema) -> None:
    assert_as_alone([RECIPE, replace(RECIPE, averaging=averaging), replace(RECIPE, averaging=averaging)])


def test_members_on_folds_of_their_own_equal_their_solo_runs() -> None:
    assert_as_alone([RECIPE] * 3, [rows(0), rows(1), rows(2, n=45)])


@pytest.mark.parametrize(
    ("knob", "text"), [("loss.logit_adjustment", "1"), ("batch.augment", "minority"), ("batch.undersample", "0.01")]
)
def test_members_on_folds_of_their_own_look_at_the_classes_of_their_own(knob: str, text: str) -> None:
    changed = replace(RECIPE, augment=(InputNoise(0.5), Mixup(1.0))).set(knob, text)
    assert_as_alone(
        [changed, RECIPE if knob == "loss.logit_adjustment" else changed, changed], [rows(0), rows(1), rows(2)]
    )


def test_members_that_take_other_numbers_of_steps_by_under_sampling_train_apart() -> None:
    short = RECIPE.set("batch.undersample", "1")
    together, alone = ([member(RECIPE, 0), member(short, 1), member(short, 2)] for _ in "ab")
    trained(together)
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other)


def test_the_held_loss_of_an_adjusted_member_is_the_one_it_is_trained_on() -> None:
    adjusted = replace(
        RECIPE,
        loss=CrossEntropy(logit_adjustment=1.0),
        stopping=Stopping(3, rule=Rule.parse("patience(9)")),
    )
    apart = rows(9)
    together = [member(adjusted, 0, held=apart), member(adjusted, 1, held=apart)]
    epochs = trained(together)
    best = min(range(3), key=lambda i: epochs[0][i].held_loss or 0.0)
    network = together[0].network.eval()
    counts = rows().counts
    assert counts is not None
    outputs = network(network.encode(*apart.inputs)).detach() + torch.from_numpy(np.log(counts / 44))
    losses = CrossEntropy().per_example(outputs, apart.targets, 1.0)
    assert float(losses.mean()) == pytest.approx(epochs[0][best].held_loss)


def test_a_batch_size_that_grows_grows_for_all() -> None:
    growing = RECIPE.set("batch.size", "linear(4, 20)")
    assert_as_alone([growing, growing.set("optimizer.lr", 0.002)])


@pytest.mark.parametrize("loss", [SquaredError(), HuberError(0.5)], ids=lambda part: part.kind)
def test_regressions_train_together(loss: SquaredError) -> None:
    values = replace(rows(), targets=rows().inputs[0].sum(1, keepdim=True).repeat(1, 3), classes=None)
    assert_as_alone([replace(RECIPE, loss=loss)] * 3, [values] * 3)


def techniques() -> list[str]:
    found = []
    for name, kind in catalogue().items():
        answer = kind().apply(RECIPE, PROBLEM)
        if isinstance(answer, Recipe) and name != "mixed-precision":  # has a test of its own: it is not float64
            found.append(name)
    return found


@pytest.mark.parametrize("name", techniques())
def test_a_technique_in_a_fleet_equals_itself_alone(name: str) -> None:
    changed = catalogue()[name]().apply(RECIPE, PROBLEM)
    assert isinstance(changed, Recipe)
    recipes = [RECIPE, changed, changed]
    together, alone = ([member(r, seed) for seed, r in enumerate(recipes)] for _ in "ab")
    trained(together)
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other, 1e-7)


# -- leaving --------------------------------------------------------------------------------------------------


def test_a_member_with_fewer_epochs_leaves_and_the_others_go_on_as_alone() -> None:
    recipes = [RECIPE, RECIPE.set("stopping.epochs", 3), RECIPE.set("optimizer.lr", 0.02), RECIPE]
    together, alone = ([member(r, seed) for seed, r in enumerate(recipes)] for _ in "ab")
    assert [len(epochs) for epochs in trained(together)] == [10, 3, 10, 10]
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other)


def test_members_leave_until_one_is_left() -> None:
    recipes = [RECIPE.set("stopping.epochs", epochs) for epochs in (2, 9, 4)]
    together, alone = ([member(r, seed) for seed, r in enumerate(recipes)] for _ in "ab")
    assert [len(epochs) for epochs in trained(together)] == [2, 9, 4]
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other)


def test_a_member_that_is_told_to_leave_keeps_the_weights_it_has() -> None:
    fleet = Fleet(members := [member(RECIPE, 0), member(RECIPE, 1)])
    seen = []
    for epochs in fleet:
        seen.append([epoch.member for epoch in epochs])
        if len(seen) == 4:
            fleet.leave(0)
            held = fleet.look({0: rows().inputs})[0]
    assert seen == [[0, 1]] * 4 + [[1]] * 6
    network = members[0].network.eval()
    assert torch.allclose(network(network.encode(*rows().inputs)), held)


def test_a_diverged_member_leaves_and_says_at_which_step() -> None:
    poisoned = rows()
    numbers = poisoned.inputs[0].clone()
    numbers[7] = torch.nan
    poisoned = replace(poisoned, inputs=(numbers, poisoned.inputs[1]))
    together = [member(RECIPE, 0), member(RECIPE, 1, poisoned), member(RECIPE, 2)]
    epochs = trained(together)
    assert [len(each) for each in epochs] == [10, epochs[1][-1].number, 10]
    assert epochs[1][-1].ends == "diverged"
    assert "the training loss is nan at step" in epochs[1][-1].message
    alone = member(RECIPE, 2)
    trained([alone])
    assert_same(together[2], alone)


# -- stopping -------------------------------------------------------------------------------------------------


def test_each_member_stops_by_its_own_rule_with_its_best_weights() -> None:
    hasty = replace(RECIPE, stopping=Stopping(epochs=40, rule=Rule.parse("patience(2)")), optimizer=AdamW(lr=0.05))
    apart = rows(9)
    together, alone = (
        [member(hasty, 0, held=apart), member(RECIPE, 1), member(hasty, 2, held=apart), member(hasty, 3, held=apart)]
        for _ in "ab"
    )
    epochs = trained(together)
    assert {epochs[i][-1].ends for i in (0, 2, 3)} == {"stopped"}
    assert len({len(epochs[i]) for i in (0, 2, 3)}) > 1, "they should stop at different epochs here"
    for number, other in enumerate(alone):
        (expected,) = trained([other])
        assert len(epochs[number]) == len(expected)
        assert_same(together[number], other)
    lowest = min(epoch.held_loss for epoch in epochs[0] if epoch.held_loss is not None)
    network = together[0].network.eval()
    outputs = network(network.encode(*apart.inputs)).detach()
    losses = CrossEntropy().per_example(outputs, apart.targets, 1.0)
    assert float(losses.mean()) == pytest.approx(lowest)


# -- what cannot be stacked -----------------------------------------------------------------------------------


class Tabular(nn.Module):
    """A network with a layer that has no batched twin."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.head = nn.Parameter(torch.randn(5, 6)), nn.Linear(6, 3)

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        return numbers

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = self.head(torch.tanh(features @ self.mix))
        return output


class Moody(Tabular):
    """A network whose code depends on its data: it can be neither stacked nor mapped."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features if float(features.detach().mean()) > -1e9 else -features)


def strangers(kind: type[Tabular]) -> list[Member]:
    found = []
    for seed in range(3):
        torch.manual_seed(seed)
        found.append(Member(kind(), RECIPE, rows(), seed))
    return found


@pytest.mark.parametrize("kind", [Tabular, Moody])
def test_what_has_no_twin_is_mapped_or_trained_one_after_another_with_the_same_numbers(kind: type[Tabular]) -> None:
    together, alone = strangers(kind), strangers(kind)
    epochs = trained(together)
    assert [len(each) for each in epochs] == [10, 10, 10]
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other)


def test_small_cnns_train_together_where_they_are_asked_to() -> None:
    images = torch.randint(0, 256, (40, 1, 8, 8), dtype=torch.uint8)
    data = Rows((images,), torch.eye(3)[torch.arange(40) % 3], None)
    recipe = replace(RECIPE, prepare=ImagePreparation(), network=ResidualCnn(width=4)).set("stopping.epochs", 3)

    def members() -> list[Member]:
        found = []
        for seed in range(3):
            torch.manual_seed(seed)
            network = ResidualCnn(width=4).build(ImageShape(1, 8, 8, (127.0,), (70.0,)), 3)
            found.append(Member(network, recipe, data, seed))
        return found

    together, alone = members(), members()
    assert isinstance(Fleet(members())._waiting[0], Team), "they are not one team"
    trained(together)
    for one, other in zip(together, alone, strict=True):
        trained([other])
        assert_same(one, other, 1e-5)  # convolutions standardise in float32
