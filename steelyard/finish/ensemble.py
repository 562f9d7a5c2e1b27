"""Several models as one: a weighted mean of what they predict."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steelyard.data.dataset import Dataset, Schema
from steelyard.errors import UserError
from steelyard.metrics import Metric
from steelyard.problem import Problem
from steelyard.training.model import FORMAT, Model, load, read_state


@dataclass(frozen=True)
class Ensemble:
    """Models with weights that sum to one; predicts the weighted mean of probabilities or values."""

    members: tuple[Model, ...]
    weights: tuple[float, ...]

    @property
    def problem(self) -> Problem:
        return self.members[0].problem

    @property
    def schema(self) -> Schema:
        return self.members[0].schema

    def predict(self, dataset: Dataset) -> np.ndarray:
        """Probabilities (n, classes), or values (n,) in the target's own unit."""
        each = [w * m.predict(dataset) for w, m in zip(self.weights, self.members, strict=True)]
        return np.asarray(np.sum(each, axis=0))

    def save(self, folder: Path) -> None:
        """Write every member into a numbered folder of its own."""
        for number, member in enumerate(self.members):
            member.save(folder / f"member-{number}")
        state = {"format": FORMAT, "weights": list(self.weights)}
        (folder / "model.json").write_text(json.dumps(state), encoding="utf-8")


def load_predictor(folder: Path) -> Ensemble:
    """The model or ensemble in a folder, as an ensemble; nothing in the folder is run."""
    state = read_state(folder)
    if "weights" not in state:
        return Ensemble((load(folder),), (1.0,))
    weights = tuple(float(w) for w in state["weights"])
    if not weights:
        raise UserError(f"{folder} is an ensemble without members")
    return Ensemble(tuple(load(folder / f"member-{number}") for number in range(len(weights))), weights)


def blend(
    metric: Metric,
    truth: np.ndarray,
    predictions: list[np.ndarray],
    rounds: int = 12,
    row_weights: np.ndarray | None = None,
) -> np.ndarray:
    """Weights (arms,) of a greedy ensemble: the arm that helps most is added, with replacement, `rounds` times.

    `row_weights` (n,) say how much each example counts; None: all count alike.

    Source: Caruana et al. 2004, "Ensemble selection from libraries of models", section 2.
    """
    counts, best_counts, best = np.zeros(len(predictions)), np.zeros(len(predictions)), -np.inf
    total = np.zeros_like(predictions[0], dtype=float)
    for size in range(1, rounds + 1):
        scores = [metric.sign * metric(truth, (total + p) / size, row_weights) for p in predictions]
        chosen = int(np.argmax(scores))
        counts[chosen] += 1
        total += predictions[chosen]
        if scores[chosen] > best + 1e-12:
            best, best_counts = scores[chosen], counts.copy()
    return np.asarray(best_counts / best_counts.sum())
