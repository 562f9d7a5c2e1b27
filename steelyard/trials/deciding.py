"""The threshold of a trained model, tuned on the dev rows of its trial, and what it then predicts."""

from dataclasses import dataclass, replace

import numpy as np

from steelyard.parts import Decision
from steelyard.training.model import Model
from steelyard.trials.shelf import Split


@dataclass(frozen=True)
class Decided:
    """A model with its thresholds, its predictions with them, and why none were tuned if so.

    No dev row was moved by a threshold that it helped to tune; the model has those tuned on all of them.
    """

    model: Model
    dev: np.ndarray
    train: np.ndarray
    message: str = ""


def decide(part: Decision, model: Model, split: Split, dev: np.ndarray, train: np.ndarray, seed: int) -> Decided:
    """Tune thresholds for the problem's metric; a model without dev rows is given those of other trials later."""
    metric, truth, weights = model.problem.measure, split.dev.target, split.dev.weights
    assert truth is not None
    if not len(truth):
        return Decided(model, dev, train)
    if metric.needs != "labels":
        return Decided(model, dev, train, f"no threshold was tuned: {metric.name} does not look at labels")
    shift = part.tune(metric, truth, dev, weights)
    tuned = replace(model, shift=tuple(shift.tolist()))
    return Decided(tuned, part.cross_fitted(metric, truth, dev, weights, seed), tuned.decided(train))


def with_mean_shift(model: Model, shifts: list[tuple[float, ...]]) -> Model:
    """A model trained on dev rows, too, with the mean of what was tuned for its recipe where they were held out."""
    known = [shift for shift in shifts if shift]
    return replace(model, shift=tuple(np.mean(known, axis=0).tolist())) if known and not model.shift else model
