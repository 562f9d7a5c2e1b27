"""Schedule everything: each of these knobs follows its schedule through a whole training, seen where it acts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepared import ImageShape, TableShape
from steelyard.networks.image import ResidualCnn
from steelyard.networks.layers import Dropout
from steelyard.networks.tabular import TabularMlp
from steelyard.recipe import Recipe
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.techniques.inputs.progressive_resizing import ProgressiveResizing
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.training.feed import Rows
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member, Runner
from steelyard.training.optimizers import AdamW, Rmsprop, Sgd
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.training.team import Team

EPOCHS, STEPS = 4, 5
TABLE = Recipe(
    TablePreparation(),
    network=TabularMlp(width=16, depth=2, periodic=2),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.01),
    batch=Batch(400),
    stopping=Stopping(epochs=EPOCHS),
    precision=Precision(),
)
IMAGES = replace(TABLE, prepare=ImagePreparation(), network=ResidualCnn(width=4), batch=Batch(100))

Look = Callable[[Team, "Watching"], float]


class Watching(nn.Module):
    """A network that keeps what reached it at each step."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.inputs: tuple[Tensor, ...] = ()
        self.features = torch.zeros(0)
        self.outputs = torch.zeros(0)

    def encode(self, *inputs: Tensor) -> Tensor:
        self.inputs = inputs
        features: Tensor = self.inner.encode(*inputs)  # type: ignore[operator]
        return features

    def forward(self, features: Tensor) -> Tensor:
        self.features = features.detach()
        outputs: Tensor = self.inner(features)
        self.outputs = outputs.detach()
        outputs.register_hook(lambda slope: setattr(self, "slope", slope.detach()))
        return outputs


def followed(recipe: Recipe, look: Look) -> list[float]:
    """What is seen at each step of a training of 2,000 rows (tables) or 500 images in two classes."""
    random = np.random.default_rng(0)
    images = recipe.network is not None and recipe.network.kind == "residual-cnn"
    rows = 500 if images else 2000
    classes = np.arange(rows) % 2
    targets = torch.eye(2)[torch.from_numpy(classes)]
    if images:
        inputs: tuple[Tensor, ...] = (torch.from_numpy(random.integers(0, 256, (rows, 1, 16, 16), dtype=np.uint8)),)
        network = recipe.network.build(ImageShape(1, 16, 16, (127.0,), (73.0,)), 2)  # type: ignore[union-attr]
    else:
        inputs = (torch.zeros(rows, 3), torch.from_numpy(classes).unsqueeze(1) + 1)
        network = recipe.network.build(TableShape(3, (3,)), 2)  # type: ignore[union-attr]
    watching = Watching(network)
    runner = Runner.start(0, Member(watching, recipe, Rows(inputs, targets, classes), 0), torch.device("cpu"))
    team, found = Team([runner], torch.device("cpu")), []
    for _ in range(EPOCHS):
        steps = team.feed.steps(runner.progress)
        for step, batch in enumerate(team.feed.epoch(runner.progress, [runner.order])):
            runner.advance(step / steps, 0.0)
            team.learn(batch)
            found.append(look(team, watching))
        runner.epochs += 1
        runner.advance(0.0, 0.0)
    return found


def group(name: str) -> Look:
    return lambda team, network: float(team.learners[0].optimizer.param_groups[0][name])


def rate(knob: str) -> Look:
    def look(team: Team, network: Watching) -> float:
        return next(m.p for m in network.modules() if isinstance(m, Dropout) and m.knob == knob)

    return look


def smoothing(team: Team, network: Watching) -> float:
    """From the gradient: softmax - (y (1 - α) + α/2), so that α = 2 min(target)."""
    targets = network.outputs.softmax(1) - network.slope * len(network.outputs)  # type: ignore[operator]
    return 2 * float(targets.min(1).values.mean())


def blend(team: Team, network: Watching) -> float:
    """How often a row is mixed with one of the other class: Beta(α, α) leaves rows alone at small α."""
    codes = network.features[:, -1]
    return float(((codes > 0.02) & (codes < 0.98)).float().mean())


def noise(team: Team, network: Watching) -> float:
    return float(network.inputs[0].std())


LINE = "linear(0.02, 0.4)"


@pytest.mark.parametrize(
    ("recipe", "path", "look", "tolerance"),
    [
        (TABLE, "optimizer.lr", group("lr"), 1e-9),
        (replace(TABLE, optimizer=Sgd()), "optimizer.momentum", group("momentum"), 1e-9),
        (replace(TABLE, optimizer=Rmsprop()), "optimizer.lr", group("lr"), 1e-9),
        (TABLE, "optimizer.weight_decay", group("weight_decay"), 1e-9),
        (TABLE, "network.dropout", rate("dropout"), 1e-9),
        (TABLE, "network.input_dropout", rate("input_dropout"), 1e-9),
        (TABLE, "network.embedding_dropout", rate("embedding_dropout"), 1e-9),
        (IMAGES, "network.stochastic_depth", rate("stochastic_depth"), 1e-9),
        (TABLE, "loss.label_smoothing", smoothing, 1e-4),
        (TABLE.with_part("augment", InputNoise()), "augment.input-noise.std", noise, 0.02),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_knob_follows_its_schedule_step_by_step(recipe: Recipe, path: str, look: Look, tolerance: float) -> None:
    seen = followed(recipe.set(path, LINE), look)
    wanted = [0.02 + 0.38 * step / (EPOCHS * STEPS) for step in range(EPOCHS * STEPS)]
    assert seen == pytest.approx(wanted, abs=tolerance)


def test_the_strength_of_mixup_follows_its_schedule() -> None:
    seen = followed(TABLE.with_part("augment", Mixup()).set("augment.mixup.alpha", "linear(0, 5)"), blend)
    assert seen[0] == 0
    thirds = [np.mean(part) for part in np.array_split(seen[1:], 3)]  # half of the partners are of the other class
    assert thirds == sorted(thirds)
    assert thirds[0] < 0.95 * thirds[-1] < 0.95 * 0.55


def test_the_strength_of_an_augmentation_follows_its_schedule() -> None:
    def spread(team: Team, network: Watching) -> float:
        """How far apart the first columns of a picture that is dark left and bright right have come."""
        return float(network.inputs[0][:, 0, 0].float().mean(0)[4])

    recipe = IMAGES.with_part("augment", ShiftedCrops()).set("augment.shifted-crops.shift", "linear(0, 0.4)")
    plain, shifted = followed(IMAGES, spread), followed(recipe, spread)
    same = [a == b for a, b in zip(plain, shifted, strict=True)]
    assert all(same[:3]), "a shift of less than a pixel is none"
    assert not any(same[10:])


def test_the_batch_size_follows_its_schedule_epoch_by_epoch() -> None:
    seen = followed(TABLE.set("batch.size", "linear(200, 600)"), lambda team, network: len(network.features))
    assert seen == [200] * 10 + [300] * 6 + [400] * 5 + [500] * 4


def test_the_image_size_follows_its_schedule() -> None:
    recipe = IMAGES.with_part("augment", ProgressiveResizing()).set(
        "augment.progressive-resizing.scale", "linear(0.5, 1)"
    )
    seen = followed(recipe, lambda team, network: network.features.shape[-1])
    assert seen[0] == 8 and seen[-1] == 16
    assert seen == sorted(seen)
