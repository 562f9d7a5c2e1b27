"""Bounds on the Bayes error from nearest neighbours.

Source: Cover and Hart 1967, "Nearest neighbor pattern classification": with ever more rows the error R of the one
nearest neighbour lies between the Bayes error R* and R* (2 - c / (c - 1) R*), for c classes.
"""

import numpy as np

from steelyard.diagnosis.near_pairs import intercept, intercepts, means_drawn, nearest, pairs_of, sample
from steelyard.diagnosis.votes import majority, mean_error, tallied
from steelyard.problem import Score

Array = np.ndarray
SEVERAL = (3, 7, 15, 31, 63)
LEAST = 30  # rows from which there is something to say


def cover_hart(error: float, classes: int) -> float:
    """The smallest Bayes error with which one nearest neighbour can err that often, among so many classes."""
    most = (classes - 1) / classes
    return most * (1 - float(np.sqrt(max(0.0, 1 - max(0.0, error) / most))))


def lower_bound(features: Array, truth: Array, classes: int, seed: int = 0) -> Score:
    """Cover and Hart's lower bound in a space (n, d) with codes (n,), of at least `LEAST` rows.

    It takes the error of one neighbour among ever more rows. With those there are it is larger, so that the bound would
    be too high: a line through how often a row and its k-th neighbour disagree is extended to distance zero, over plain
    distances, which falls rather too low. The interval reaches from the lower end of that line, by a bootstrap over
    rows, to the upper end of the nearest neighbours' own.
    """
    rows = sample(len(truth), seed)
    far, apart = pairs_of(np.asarray(features, dtype=float)[rows], np.eye(classes)[truth[rows]])
    value = intercept(far.mean(axis=0), apart.mean(axis=0))
    low = float(np.percentile(intercepts(far, apart, seed), 2.5))
    high = float(np.percentile(means_drawn(apart[:, :1], seed), 97.5))
    bound, lower, upper = (cover_hart(each, classes) for each in (value, min(low, value), max(high, value)))
    return Score(bound, lower, upper, len(rows))


def upper_bounds(features: Array, truth: Array, classes: int, seed: int = 0) -> tuple[Score, Score]:
    """The errors of one neighbour, and of the best number of several, on rows left out one by one.

    The number is chosen on the other half of the rows. Of one neighbour, rows that are each other's count as one, since
    they err together.
    """
    rows = sample(len(truth), seed)
    x, y = np.asarray(features, dtype=float)[rows], truth[rows]
    near = nearest(x, min(SEVERAL[-1], len(y) - 1))[0]
    first = near[:, 0]
    mutual = float((first[first] == np.arange(len(y))).mean())
    one = mean_error((y[first] != y).astype(float), round(len(y) / (1 + mutual)))
    halves = np.random.default_rng(seed).permutation(len(y)) % 2
    return one, mean_error(_several(near, y, classes, halves))


def _several(near: Array, y: Array, classes: int, halves: Array) -> Array:
    """The expected error (n,) of the number of neighbours that does best on the other half."""
    rows, sizes = np.arange(len(y)), [k for k in SEVERAL if k <= near.shape[1]]
    errors = np.array([1 - majority(tallied(y[near[:, :k]], classes))[rows, y] for k in sizes])
    found = np.empty(len(y))
    for side in (0, 1):
        mine = halves == side
        found[mine] = errors[errors[:, ~mine].mean(axis=1).argmin(), mine]
    return found
