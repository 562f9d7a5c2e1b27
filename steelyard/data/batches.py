"""Batches: in which order the rows of one epoch come, and how many at a time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.knobs import Schedule, knob, value
from steelyard.parts import Part


@dataclass(frozen=True)
class Batch(Part):
    """`size` rows a step, shuffled every epoch.

    A schedule for `size` is looked at once an epoch. `oversample` in 0..1 draws rows of class k with a rate
    ∝ count_k^(1 - oversample), with replacement: 0.5 is square-root sampling, 1 balances the classes in full.
    `undersample` in 0..1 leaves count_k^(1 - undersample) * lowest^undersample rows of class k in an epoch, lowest the
    count of the rarest: other ones every epoch, none twice, at 1 as many of each class. With both, rows are
    over-sampled from those that under-sampling left. `augment` says whether augmentations change all rows or only the
    minority: those of classes that are rarer than the mean.
    `micro` is the largest number of rows computed at once: the gradients of a batch are accumulated over pieces of
    it, so that a batch size which memory cannot hold is kept; None: the whole batch, halved when memory runs out.
    Batch norms see the pieces.
    """

    size: int | Schedule = knob(256, 1)
    oversample: float = knob(0.0, 0.0, 1.0)
    micro: int | None = knob(None, 1)
    undersample: float = knob(0.0, 0.0, 1.0)
    augment: Literal["all", "minority"] = "all"

    def size_at(self, progress: float, rows: int) -> int:
        """How many of `rows` rows a step takes at that point of training."""
        return max(1, min(rows, round(value(self.size, progress))))

    def drawn(self, rows: int, classes: np.ndarray | None) -> int:
        """How many of `rows` rows an epoch has; `classes` (rows,) are codes or None in regression."""
        return rows if classes is None or self.undersample == 0 else int(_left(classes, self.undersample).sum())

    def order(self, rows: int, classes: np.ndarray | None, stream: np.random.Generator) -> np.ndarray:
        """The row numbers of one epoch, int64 (drawn,); `classes` (rows,) are codes or None in regression.

        What does not fill a last batch is left to the next shuffle.
        """
        chosen = np.arange(rows)
        if self.undersample > 0 and classes is not None:
            shuffled = stream.permutation(rows)
            codes = classes[shuffled]
            chosen = shuffled[_place(codes) < _left(classes, self.undersample)[codes]]
        if self.oversample > 0 and classes is not None:
            return stream.choice(chosen, size=len(chosen), p=_rates(classes[chosen], self.oversample))
        return stream.permutation(chosen)


def _left(classes: np.ndarray, power: float) -> np.ndarray:
    """How many rows of each class (classes,) under-sampling leaves: count^(1 - power) * lowest^power, rounded."""
    counts = np.bincount(classes)
    lowest = counts[counts > 0].min()
    return np.asarray(np.minimum(counts, np.rint(counts ** (1 - power) * lowest**power)), dtype=np.int64)


def _place(classes: np.ndarray) -> np.ndarray:
    """The how manieth of its class each row (n,) is, from 0."""
    order = np.argsort(classes, kind="stable")
    begins = np.cumsum(np.bincount(classes)) - np.bincount(classes)
    place = np.empty(len(classes), dtype=np.int64)
    place[order] = np.arange(len(classes)) - begins[classes[order]]
    return place


def _rates(classes: np.ndarray, power: float) -> np.ndarray:
    rates = balance(classes, power)
    return np.asarray(rates / rates.sum())


def balance(classes: np.ndarray, power: float, beta: float = 0.0) -> np.ndarray:
    """A weight per row (n,) ∝ (rows of its class)^-power, with mean 1; all ones at power 0.

    `beta` in 0..1 divides it by the effective number of rows of its class, (1 - beta^rows) / (1 - beta), which is 1 at
    beta 0 and the number of rows at beta 1 (Cui et al. 2019, section 3, arXiv 1901.05555).
    """
    counts = np.maximum(np.bincount(classes), 1).astype(float)
    weights = counts[classes] ** -power
    if beta > 0:
        weights = weights / -np.expm1(counts * np.log(beta))[classes]
    return np.asarray(weights / weights.mean())
