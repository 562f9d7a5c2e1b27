"""Losses and augmentations that look at how often classes occur."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.errors import UserError
from steelyard.networks.tabular import TabularMlp
from steelyard.parts import Loss
from steelyard.recipe import Recipe
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member
from steelyard.training.optimizers import Sgd
from steelyard.training.stopping import Stopping


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# -- losses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_closed_form_of_a_gradient_is_that_of_autograd(gamma: float, classes: int, smoothing: float) -> None:
    loss = CrossEntropy(label_smoothing=smoothing, focal=gamma)
    outputs, targets = 3 * random(0, 3, 40, classes), torch.softmax(2 * random(1, 3, 40, classes), dim=-1)
    for ours, wanted in zip(loss.slope(outputs, targets, 0.0), Loss.slope(loss, outputs, targets, 0.0), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-10, atol=1e-12)


def test_the_focal_loss_of_hard_labels_is_that_of_the_paper() -> None:
    outputs, codes = random(0, 50, 3), torch.arange(50) % 3
    p = outputs.softmax(1)[torch.arange(50), codes]
    found = CrossEntropy(focal=2.0).per_example(outputs, torch.eye(3)[codes], 0.0)
    torch.testing.assert_close(found, -((1 - p) ** 2) * p.log())


def test_the_focal_loss_is_finite_where_a_network_is_certain() -> None:
    outputs = torch.tensor([[200.0, -200.0], [0.0, 1e4]], dtype=torch.float32)
    for gamma in (0.1, 0.5, 2.0):
        for targets in (torch.eye(2, dtype=torch.float32), torch.full((2, 2), 0.5, dtype=torch.float32)):
            assert all(torch.isfinite(t).all() for t in CrossEntropy(focal=gamma).slope(outputs, targets, 0.0))


def test_a_focal_loss_that_fades_out_ends_as_cross_entropy() -> None:
    fading = replace(CrossEntropy(), focal=Recipe.from_toml(FADING).get("loss.focal"))
    outputs, targets = random(0, 20, 3), torch.eye(3)[torch.arange(20) % 3]
    assert torch.equal(fading.slope(outputs, targets, 1.0)[1], CrossEntropy().slope(outputs, targets, 1.0)[1])
    assert not torch.equal(fading.slope(outputs, targets, 0.5)[1], CrossEntropy().slope(outputs, targets, 0.5)[1])


FADING = """
prepare.kind = "table-preparation"
loss = { kind = "cross-entropy", focal = "linear(2, 0)" }
"""


def test_the_shares_of_classes_are_those_of_train_rows_and_no_knob() -> None:
    targets = torch.eye(3)[[0] * 6 + [1] * 3]
    fitted = CrossEntropy(logit_adjustment=2.0).fitted(None, targets)
    assert fitted.shares == pytest.approx(np.array([6, 3, 0.5]) / 9.5)
    assert CrossEntropy().fitted(None, targets) == CrossEntropy()
    assert "shares" not in fitted.plain() and fitted.plain() == CrossEntropy(logit_adjustment=2.0).plain()
    with pytest.raises(UserError, match="has no knob 'shares'"):
        CrossEntropy.read({"shares": [0.5, 0.5]})


@pytest.mark.parametrize("knobs", [{"focal": -1.0}, {"logit_adjustment": -0.1}, {"effective_number": 1.0}])
def test_knobs_out_of_range_are_the_users_error(knobs: dict[str, float]) -> None:
    with pytest.raises(UserError, match=f"{next(iter(knobs))} must lie in"):
        CrossEntropy(**knobs)


# -- one step by hand -------------------------------------------------------------------------------------------


class Seen(nn.Module):
    """A linear network that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)
        self.inputs: list[Tensor] = []

    def encode(self, x: Tensor) -> Tensor:
        if self.training:
            self.inputs.append(x.detach().clone())
        return x

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = self.head(features)
        return output


CODES = np.repeat([0, 1, 2], [20, 9, 3])


def member(recipe: Recipe) -> tuple[Member, Seen]:
    torch.manual_seed(0)
    network = Seen()
    rows = Rows((torch.from_numpy(CODES[:, None] + np.zeros((1, 2))),), torch.eye(3)[torch.from_numpy(CODES)], CODES)
    assert recipe.loss is not None
    return Member(network, replace(recipe, loss=recipe.loss.fitted(None, rows.targets)), rows, 0), network


def plain(**parts: object) -> Recipe:
    one_step = {
        "network": TabularMlp(),
        "loss": CrossEntropy(),
        "optimizer": Sgd(lr=1.0, momentum=0.0, weight_decay=0.0),
        "batch": Batch(32),
        "stopping": Stopping(1),
    }
    return Recipe(TablePreparation(), **(one_step | parts))  # type: ignore[arg-type]


def test_a_step_with_logit_adjustment_is_a_step_on_adjusted_logits() -> None:
    given, network = member(plain(loss=CrossEntropy(logit_adjustment=1.0)))
    before = {name: p.detach().clone().requires_grad_() for name, p in network.named_parameters()}
    (x,) = given.rows.inputs
    shares = torch.log(torch.tensor([20, 9, 3]) / 32)
    logits = x @ before["head.weight"].T + before["head.bias"] + shares
    nn.functional.cross_entropy(logits, given.rows.targets).backward()
    assert list(Fleet([given]))
    for name, after in network.named_parameters():
        slope = before[name].grad
        assert slope is not None
        torch.testing.assert_close(after.detach(), before[name].detach() - slope)


def test_rare_classes_alone_are_augmented() -> None:
    given, network = member(plain(batch=Batch(32, augment="minority"), augment=(InputNoise(0.3),)))
    assert list(Fleet([given]))
    (shown,) = network.inputs
    codes = shown.round().mean(dim=1)
    changed = (shown != shown.round()).any(dim=1)
    assert (~changed[codes < 0.2]).sum() >= 20
    assert changed.sum() == 12  # 9 and 3 rows: fewer than 32 / 3


def test_blends_are_learnt_for_rare_classes_alone() -> None:
    every, _ = member(plain(augment=(Mixup(1.0),)))
    some, _ = member(plain(batch=Batch(32, augment="minority"), augment=(Mixup(1.0),)))
    none, _ = member(plain())
    heads = []
    for given in (every, some, none):
        assert list(Fleet([given]))
        heads.append(given.network.head.weight.detach())  # type: ignore[union-attr]
    assert not torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[1], heads[2])


def test_values_have_no_minority() -> None:
    given, network = member(plain(batch=Batch(32, augment="minority"), augment=(InputNoise(0.3),)))
    given = replace(given, rows=replace(given.rows, classes=None))
    assert list(Fleet([given]))
    assert (network.inputs[0] != network.inputs[0].round()).any(dim=1).all()
