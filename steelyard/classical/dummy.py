"""The baseline every model must beat: the same answer for every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steelyard.parts import Estimator

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FittedConstant:
    """One answer for every row: probabilities (classes,), or a value (1,)."""

    form: ClassVar[str] = "constant"
    types: ClassVar[dict[str, str]] = {"answer": "float64"}
    answer: Array
    classes: int  # 0 in regression

    def check(self) -> None:
        """Raise ValueError when the arrays do not fit together."""
        if self.answer.shape != (max(self.classes, 1),):
            raise ValueError("a constant needs one number per class")

    def predict(self, x: Array) -> Array:
        """The answer repeated: float32 (n, classes) or float64 (n,)."""
        if self.classes:
            return np.tile(self.answer.astype(np.float32), (len(x), 1))
        return np.full(len(x), self.answer[0], np.float64)


@dataclass(frozen=True)
class LastValue(Estimator):
    """A forecast that says what was last: nothing is added to what the preparation's `base` gives."""

    wants: ClassVar[str] = "ordinal"

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedConstant:
        """No difference, whatever was learnt from."""
        return FittedConstant(np.zeros(1), 0)


@dataclass(frozen=True)
class SeasonalValue(LastValue):
    """A forecast that says what was one season before."""


@dataclass(frozen=True)
class Dummy(Estimator):
    """The shares of the classes, or the mean, whatever the inputs."""

    wants: ClassVar[str] = "ordinal"

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedConstant:
        """The constant answer of codes or values y (n,)."""
        if task == "regression":
            return FittedConstant(np.array([np.average(y, weights=weights)], np.float64), 0)
        counts = np.bincount(y, weights=weights, minlength=classes).astype(np.float64)
        return FittedConstant(counts / counts.sum(), classes)
