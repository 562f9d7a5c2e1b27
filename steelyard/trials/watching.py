"""Looking at dev while networks train: the points of their learning curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.problem import Problem
from steelyard.training.feed import Tensors
from steelyard.training.fleet import Fleet
from steelyard.training.loop import Epoch
from steelyard.training.model import Model
from steelyard.training.scale import loss_of, upon
from steelyard.trials.shelf import draw
from steelyard.trials.trial import Point

LOOKS, FEWEST_LOOKS = 30, 5  # points of a learning curve
LOOK_ROWS = 2048  # dev rows a point is measured on
LOOKING = 0.2  # of the work of training may go into looking


@dataclass(eq=False)
class Watched:
    """A model in training, the dev rows its curve is measured on, and the curve so far."""

    model: Model
    inputs: Tensors
    truth: np.ndarray
    weights: np.ndarray | None
    every: int  # epochs from look to look
    base: np.ndarray | None = None  # what the targets were learnt as the difference from
    curve: list[Point] = field(default_factory=list)
    last: Epoch | None = None

    @classmethod
    def of(cls, model: Model, dev: Dataset, inputs: Tensors, train_rows: int) -> "Watched":
        """A model that is looked at on a sample of dev, a bounded number of times."""
        assert dev.target is not None
        epochs = int(model.recipe.get("stopping.epochs"))
        seen = draw(len(dev), 0, LOOK_ROWS)
        every = max(1, round(epochs / _looks(train_rows * epochs, len(seen))))
        base = model.base(dev) if len(dev) else None
        base = None if base is None else base[seen]
        return cls(model, tuple(tensor[seen] for tensor in inputs), dev.target[seen], dev.weights_of(seen), every, base)

    def due(self, epoch: Epoch) -> bool:
        """Whether this epoch is a point with a look at dev."""
        return len(self.truth) > 0 and epoch.ends != "diverged" and (epoch.number % self.every == 0 or bool(epoch.ends))


def follow(fleet: Fleet, watched: Sequence[Watched], problem: Problem, went: Callable[[Epoch], None]) -> None:
    """Train a fleet to its end; every member's curve and last epoch are in what was watched."""
    for epochs in fleet:
        due = {e.member: watched[e.member].inputs for e in epochs if watched[e.member].due(e)}
        outputs = fleet.look(due) if due else {}
        for epoch in epochs:
            went(epoch)
            mine = watched[epoch.member]
            mine.last = epoch
            score, loss = None, None
            if epoch.member in outputs:
                predictions = upon(mine.base, mine.model.answers(outputs[epoch.member]))
                loss = loss_of(problem, mine.model.scale, mine.truth, predictions)
                sound = np.isfinite(predictions).all()
                score = problem.measure(mine.truth, predictions, mine.weights) if sound else None
            mine.curve.append(Point(epoch.number, epoch.train_loss, score, loss, epoch.held_loss))


def _looks(trained: int, rows: int) -> float:
    """How many points a curve gets: predicting a row costs about a third of learning from it."""
    return min(LOOKS, max(FEWEST_LOOKS, LOOKING * trained * 3 / max(1, rows)))
