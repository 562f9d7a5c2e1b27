"""In which rows a step of training sees the data: the batch part and its order."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from steelyard.knobs import knob
from steelyard.parts import Part


@dataclass(frozen=True)
class Batch(Part):
    """`size` rows a step. `oversample` in 0..1 draws class k with probability ∝ count_k^(1 - oversample).

    At 0 every row comes once an epoch, shuffled; at 1 all classes come equally often (with replacement).
    """

    size: int = knob(256, 1)
    oversample: float = knob(0.0, 0.0, 1.0)

    def steps(self, rows: int) -> int:
        """Steps in one epoch; a last batch that is not full is left to the next shuffle unless it is the only one."""
        return max(1, rows // self.size)

    def epoch(self, rows: int, classes: np.ndarray | None, order: np.random.Generator) -> Iterator[np.ndarray]:
        """The row numbers of each step of one epoch, int64 (size,); `classes` (n,) are codes or None in regression."""
        if self.oversample > 0 and classes is not None:
            chosen = order.choice(rows, size=rows, p=_rates(classes, self.oversample))
        else:
            chosen = order.permutation(rows)
        for step in range(self.steps(rows)):
            yield chosen[step * self.size : (step + 1) * self.size]


def _rates(classes: np.ndarray, power: float) -> np.ndarray:
    rates = balance(classes, power)
    return np.asarray(rates / rates.sum())


def balance(classes: np.ndarray, power: float) -> np.ndarray:
    """A weight per row (n,) ∝ (rows of its class)^-power, with mean 1; all ones at power 0."""
    counts = np.bincount(classes)
    weights = np.maximum(counts, 1).astype(float)[classes] ** -power
    return np.asarray(weights / weights.mean())
