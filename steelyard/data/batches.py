"""Batches: in which order the rows of one epoch come, and how many at a time."""

from dataclasses import dataclass

import numpy as np

from steelyard.knobs import Schedule, knob, value
from steelyard.parts import Part


@dataclass(frozen=True)
class Batch(Part):
    """`size` rows a step, shuffled every epoch.

    A schedule for `size` is looked at once an epoch. `oversample` in 0..1 draws rows of class k with a rate
    ∝ count_k^(1 - oversample), with replacement: 0.5 is square-root sampling, 1 balances the classes in full.
    `micro` is the largest number of rows computed at once: the gradients of a batch are accumulated over pieces of
    it, so that a batch size which memory cannot hold is kept; None: the whole batch, halved when memory runs out.
    Batch norms see the pieces.
    """

    size: int | Schedule = knob(256, 1)
    oversample: float = knob(0.0, 0.0, 1.0)
    micro: int | None = knob(None, 1)

    def size_at(self, progress: float, rows: int) -> int:
        """How many of `rows` rows a step takes at that point of training."""
        return max(1, min(rows, round(value(self.size, progress))))

    def order(self, rows: int, classes: np.ndarray | None, stream: np.random.Generator) -> np.ndarray:
        """The row numbers of one epoch, int64 (rows,); `classes` (rows,) are codes or None in regression.

        What does not fill a last batch is left to the next shuffle.
        """
        if self.oversample > 0 and classes is not None:
            return stream.choice(rows, size=rows, p=_rates(classes, self.oversample))
        return stream.permutation(rows)


def _rates(classes: np.ndarray, power: float) -> np.ndarray:
    rates = balance(classes, power)
    return np.asarray(rates / rates.sum())


def balance(classes: np.ndarray, power: float) -> np.ndarray:
    """A weight per row (n,) ∝ (rows of its class)^-power, with mean 1; all ones at power 0."""
    counts = np.bincount(classes)
    weights = np.maximum(counts, 1).astype(float)[classes] ** -power
    return np.asarray(weights / weights.mean())
