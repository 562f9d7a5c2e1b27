"""Votes for classes: what the majority says, how often one vote is wrong, and the interval of a mean over rows.

`counts` (rows, classes) says how many annotators gave each row each class.
"""

import numpy as np

from steelyard.problem import Score
from steelyard.weighing.interval import wilson

Array = np.ndarray


def tallied(labels: Array, classes: int) -> Array:
    """Counts (rows, classes) of label codes (rows, annotators), -1 where nothing was said."""
    found = np.zeros((len(labels), classes), np.int64)
    row, annotator = np.nonzero(labels >= 0)
    np.add.at(found, (row, labels[row, annotator]), 1)
    return found


def majority(counts: Array) -> Array:
    """The probability (rows, classes) that the majority says each class, a tie being broken by lot; 0 without votes."""
    first = (counts == counts.max(axis=1, keepdims=True)) & (counts > 0)
    return np.asarray(first / np.maximum(first.sum(axis=1, keepdims=True), 1))


def errors_by_class(counts: Array, truth: Array | None) -> Array:
    """How wrong (rows, classes) a vote for each class is in each row, from 0 to 1.

    Without a truth (n,) of codes it is the probability that the majority of the row's other votes says another class.
    """
    rows, classes = counts.shape
    if truth is not None:
        return np.asarray(np.arange(classes) != truth[:, None], dtype=float)
    found = np.ones((rows, classes))
    for c in range(classes):
        voted = np.flatnonzero(counts[:, c])
        others = counts[voted]
        others[:, c] -= 1
        found[voted, c] = 1 - majority(others)[:, c]
    return found


def single_errors(counts: Array, wrong: Array) -> Array:
    """The expected error (rows,) of one annotator of each row drawn by lot."""
    return np.asarray((counts * wrong).sum(axis=1) / counts.sum(axis=1))


def mean_error(values: Array, examples: int | None = None) -> Score:
    """The mean of shares (n,) with Wilson's interval for as many hits and misses as would scatter like them.

    `examples` says for how many independent ones they count, where that is not n.
    """
    value, n = float(np.mean(values)), len(values) if examples is None else examples
    spread = float(np.var(values))
    alike = n * value * (1 - value) / spread if spread > 0 else n
    return Score(value, *wilson(value, max(alike, 1.0)), n)
