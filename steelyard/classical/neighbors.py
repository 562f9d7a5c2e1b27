"""k nearest neighbours: the answers of the most similar rows seen in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from steelyard.classical.fitted import one_thread
from steelyard.knobs import knob
from steelyard.parts import Estimator

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FittedNeighbors:
    """The training rows: inputs float32 (m, features), codes or values (m,), weights (m,) and the prior (classes,)."""

    form: ClassVar[str] = "neighbors"
    types: ClassVar[dict[str, str]] = {"x": "float32", "y": "int64 float64", "weights": "float64", "prior": "float64"}
    x: Array
    y: Array
    weights: Array
    prior: Array
    k: int
    classes: int  # 0 in regression

    def check(self) -> None:
        """Raise ValueError when the arrays do not fit together."""
        rows = len(self.y)
        if self.x.ndim != 2 or len(self.x) != rows or self.weights.shape != (rows,) or not 1 <= self.k <= rows:
            raise ValueError("neighbours need as many inputs, answers and weights, and at least k of them")
        coded = self.y.dtype == np.int64 and 0 <= self.y.min() <= self.y.max() < self.classes
        if (self.classes and not coded) or self.prior.shape != (self.classes,):
            raise ValueError("neighbours need a code below the number of classes in every row")

    @cached_property
    def index(self) -> Any:
        """The search structure over the training rows: a k-d tree in few dimensions, else blocks of distances."""
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=self.k, n_jobs=1).fit(self.x)

    def predict(self, x: Array) -> Array:
        """Probabilities float32 (n, classes) or values float64 (n,).

        The prior counts as one more neighbour: it breaks ties and keeps probabilities off zero.
        """
        if len(x) == 0:
            return np.zeros((0, self.classes), np.float32) if self.classes else np.zeros(0)
        with one_thread():
            rows = self.index.kneighbors(x, return_distance=False)
        weights = self.weights[rows]
        if not self.classes:
            return np.asarray((self.y[rows] * weights).sum(axis=1) / weights.sum(axis=1))
        cells = np.arange(len(x))[:, None] * self.classes + self.y[rows]
        votes = np.bincount(cells.ravel(), weights.ravel(), minlength=len(x) * self.classes)
        votes = votes.reshape(len(x), self.classes) + self.prior
        return np.asarray(votes / votes.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Neighbors(Estimator):
    """The mean answer of the `k` nearest training rows in Euclidean distance."""

    wants: ClassVar[str] = "onehot"
    k: int = knob(15, 1, 1000)

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedNeighbors:
        """The model that remembers a scaled matrix (n, features) without missing values."""
        weights = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
        regression = task == "regression"
        prior = np.zeros(0) if regression else np.bincount(y, weights, minlength=classes) / weights.sum()
        x = np.ascontiguousarray(x, np.float32)
        return FittedNeighbors(x, y, weights, prior, min(self.k, len(y)), 0 if regression else classes)
