"""One classical model a target: every family predicts several targets, each on its own (binary relevance for labels).

Source: Tsoumakas & Katakis 2007, "Multi-Label Classification: An Overview", section 3.1 (binary relevance).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from steelyard.classical.fitted import FittedEstimator
from steelyard.parts import Estimator
from steelyard.problem import Problem

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FittedSeveral:
    """A fitted model for every target; of `labels` only the probability of yes is predicted."""

    form: ClassVar[str] = "several"
    types: ClassVar[dict[str, str]] = {}
    members: tuple[FittedEstimator, ...]
    labels: bool

    def check(self) -> None:
        """Raise ValueError when a member does not fit together, or there is none."""
        if not self.members:
            raise ValueError("a model of several targets needs one for each")
        for member in self.members:
            member.check()

    def predict(self, x: Array) -> Array:
        """What every target is predicted to be, side by side: (n, labels) float32, or (n, outputs) float64."""
        each = [np.asarray(member.predict(x)) for member in self.members]
        if self.labels:
            return np.stack([found[:, 1] for found in each], axis=1)
        return np.hstack([found.reshape(len(x), -1).astype(np.float64) for found in each])


def fit(
    estimator: Estimator,
    x: Array,
    y: Array,
    problem: Problem,
    seed: int,
    categorical: Sequence[int] = (),
    weights: Array | None = None,
) -> FittedEstimator:
    """The estimator fitted on a matrix (n, features) and a target (n,); for targets (n, heads) one fitted for each.

    A row that lacks a target is not learnt from for that one. `weights` (n,) say how much each row counts, where one
    target is learnt.
    """
    weighted: dict[str, Any] = {} if weights is None else {"weights": weights}
    if not problem.heads:
        task: Any = "multiclass" if problem.task == "ordinal" else problem.task
        fitted: FittedEstimator = estimator.fit(x, y, task, problem.outputs, seed, categorical, **weighted)
        return fitted
    members = []
    for head, column in zip(problem.heads, y.T, strict=True):
        here = ~np.isnan(column)
        inputs, values = (x, column) if here.all() else (x[here], column[here])
        values = values.astype(np.int64) if head.classes else values
        members.append(estimator.fit(inputs, values, head.task, head.width, seed, categorical))
    return FittedSeveral(tuple(members), problem.task == "multilabel")
