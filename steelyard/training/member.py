"""A member of a fleet: one training run, and how far it has come."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.networks.layers import Dropout
from steelyard.parts import Loss, Network
from steelyard.recipe import Recipe
from steelyard.training.averaging import Averaging
from steelyard.training.feed import Rows
from steelyard.training.optimizers import Optimizer
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.training.streams import numpy_stream, torch_stream


@dataclass(frozen=True)
class Plan:
    """The parts of a recipe that training needs, with their types."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    batch: Batch
    stopping: Stopping
    averaging: Averaging | None
    precision: Precision

    @classmethod
    def of(cls, recipe: Recipe) -> "Plan":
        """The plan of a recipe that trains a network; a classical recipe has none."""
        parts = (recipe.network, recipe.loss, recipe.optimizer, recipe.batch, recipe.stopping)
        if any(part is None for part in parts):
            raise TypeError(
                f"the recipe of {recipe.family} has no training: it needs a loss, an optimizer, batch and stopping"
            )
        return cls(*parts, recipe.averaging, recipe.precision or Precision())  # type: ignore[arg-type]

    @property
    def order(self) -> tuple[str, ...]:
        """What members are sorted by, so that those with equal parts stand side by side."""
        return tuple(repr(part) for part in (self.optimizer, self.stopping, self.loss, self.averaging))


@dataclass(frozen=True, eq=False)
class Member:
    """One training run: a network that is trained in place by a recipe on rows; `held` rows decide when to stop."""

    network: nn.Module
    recipe: Recipe
    rows: Rows
    seed: int
    held: Rows | None = None


@dataclass(frozen=True)
class Best:
    """The weights at the lowest held loss so far."""

    epoch: int
    state: dict[str, Tensor]


@dataclass(eq=False)
class Runner:
    """A member on its way: its random streams, how far it has come, what its stopping rule has seen."""

    number: int  # its place in the fleet
    member: Member
    plan: Plan
    order: np.random.Generator
    streams: dict[str, torch.Generator]
    epochs: int = 0  # completed
    steps: int = 0  # completed
    progress: float = 0.0
    train: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    best: Best | None = None

    @classmethod
    def start(cls, number: int, member: Member, device: torch.device) -> "Runner":
        """A member at the start of its training, with random streams of its own."""
        dropout = torch_stream(member.seed, "dropout", device)
        for layer in member.network.modules():
            if isinstance(layer, Dropout):
                layer.stream = dropout
        streams = {part.kind: torch_stream(member.seed, part.kind) for part in member.recipe.augment}
        plan = Plan.of(member.recipe)
        return cls(number, member, plan, numpy_stream(member.seed, "order"), streams)

    def advance(self, share: float, seconds: float) -> None:
        """Set the progress: this `share` of the epoch is done, so many seconds have passed."""
        stopping = self.plan.stopping
        by_epochs = (self.epochs + share) / stopping.epochs
        by_clock = 0.0 if stopping.seconds is None else seconds / stopping.seconds
        self.progress = min(1.0, max(by_epochs, by_clock))
