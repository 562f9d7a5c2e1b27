"""Bounds on the Bayes error from nearest neighbours.

Source: Cover and Hart 1967, "Nearest neighbor pattern classification": with ever more rows the error R of the one
nearest neighbour lies between the Bayes error R* and R* (2 - c / (c - 1) R*), for c classes.
"""

from dataclasses import dataclass

import numpy as np

from steelyard.diagnosis.votes import majority, mean_error, tallied
from steelyard.problem import Score

Array = np.ndarray
MOST = 6_000  # rows that are compared, each with each
NEIGHBOURS = (3, 7, 15, 31, 63)
LEAST = 20  # rows from which there is something to say


@dataclass(frozen=True)
class Neighbours:
    """Errors of nearest neighbours on rows left out one by one: of `one`, of `several`, and of one in `half` the rows.

    `several` is the best number of neighbours, chosen on the other half of the rows.
    """

    one: Score
    several: Score
    half: float
    classes: int

    @property
    def lower(self) -> Score:
        """The lower bound on the Bayes error that one neighbour gives."""
        value, low, high = (cover_hart(e, self.classes) for e in (self.one.value, self.one.low, self.one.high))
        return Score(value, low, high, self.one.examples)

    @property
    def falling(self) -> bool:
        """Whether more rows would make the error of one neighbour smaller still: the bounds are then too high."""
        return self.half > self.one.high


def cover_hart(error: float, classes: int) -> float:
    """The smallest Bayes error with which one nearest neighbour can err that often, among so many classes."""
    most = (classes - 1) / classes
    return most * (1 - float(np.sqrt(max(0.0, 1 - error / most))))


def neighbours_of(features: Array, truth: Array, classes: int, seed: int = 0) -> Neighbours | None:
    """The errors in a space (n, d) with codes (n,); of at most `MOST` rows. None where there are too few rows.

    The interval of one neighbour counts rows that are each other's neighbours, and so err together, as one.
    """
    if len(truth) < LEAST:
        return None
    random = np.random.default_rng(seed)
    rows = sample(len(truth), seed)
    x, y = np.asarray(features, dtype=float)[rows], truth[rows]
    near = nearest(x, min(NEIGHBOURS[-1], len(y) - 1))[0]
    first = near[:, 0]
    wrong = (y[first] != y).astype(float)
    mutual = float((first[first] == np.arange(len(y))).mean())
    halves = random.permutation(len(y)) % 2
    parts = [np.flatnonzero(halves == side) for side in (0, 1)]
    half = np.mean([np.mean(y[part][nearest(x[part], 1)[0][:, 0]] != y[part]) for part in parts])
    one = mean_error(wrong, round(len(y) / (1 + mutual)))
    return Neighbours(one, mean_error(_several(near, y, classes, parts)), float(half), classes)


def sample(rows: int, seed: int) -> Array:
    """Which rows are compared: all, or `MOST` of them drawn by lot, in order."""
    if rows <= MOST:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))


def nearest(x: Array, many: int) -> tuple[Array, Array]:
    """The places (n, many) of each row's nearest others, the nearest first, and their distances."""
    from sklearn.neighbors import NearestNeighbors

    distances, near = NearestNeighbors(n_neighbors=many, n_jobs=1).fit(x).kneighbors()
    return np.asarray(near), np.asarray(distances)


def _several(near: Array, y: Array, classes: int, parts: list[Array]) -> Array:
    """The expected error (n,) of the number of neighbours that does best on the other half."""
    rows, sizes = np.arange(len(y)), [k for k in NEIGHBOURS if k <= near.shape[1]] or [near.shape[1]]
    errors = np.array([1 - majority(tallied(y[near[:, :k]], classes))[rows, y] for k in sizes])
    found = np.empty(len(y))
    for mine, other in (parts, parts[::-1]):
        found[mine] = errors[errors[:, other].mean(axis=1).argmin(), mine]
    return found
