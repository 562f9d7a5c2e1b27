"""Losses of out-of-fold predictions and what share of the error of a constant guess they take away."""

from dataclasses import dataclass

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol, divide

Array = np.ndarray
FOLDS, MOST = 5, 20_000  # rows that are looked at, at the most
LARGE = 0.01  # of the rows in one group of duplicates
TINY = 1e-6
SURE = 3.29  # standard errors: two-sided 0.1 %, since many columns are looked at


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that probes look at: never test rows; each is predicted once by models that have not seen it.

    `truth` (n,) are codes or values, `fold` (n,) says which fold holds each row, `classes` 0 for values.
    """

    data: Dataset
    truth: Array
    fold: Array
    classes: int
    folds: int = FOLDS

    def splits(self) -> list[tuple[Array, Array]]:
        """Row numbers (learnt from, held) of every fold."""
        return [(np.flatnonzero(self.fold != f), np.flatnonzero(self.fold == f)) for f in range(self.folds)]


@dataclass(frozen=True)
class Skill:
    """The share of a constant guess's loss that predictions take away (log loss, or squared error: R²), 95 %."""

    value: float
    low: float
    high: float


def rows_of(dataset: Dataset, seed: int, most: int = MOST, folds: int = FOLDS) -> Rows:
    """At most so many rows outside the sealed test of a run with that seed; duplicates lie in one fold."""
    protocol, pool, _ = divide(dataset, seed)
    taken = pool[protocol.subset(np.arange(len(pool)), most, 0)]
    data = dataset.take(taken)
    assert data.target is not None
    strata = protocol.strata[np.isin(pool, taken)]
    deal = Protocol("folds", folds, seed, strata, _small_groups(data.groups))
    fold = np.zeros(len(data), np.int64)
    for f in range(folds):
        fold[deal.split(0, f)[1]] = f
    return Rows(data, data.target, fold, len(dataset.classes), folds)


def _small_groups(groups: Array | None) -> Array | None:
    """Groups of duplicates without the large ones, which would fill a fold: coincidence of coarse columns."""
    if groups is None:
        return None
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    large = counts[codes] > max(2, LARGE * len(groups))
    return np.where(large, len(counts) + np.arange(len(groups)), codes)


def losses(rows: Rows, predictions: Array) -> Array:
    """The loss of each row (n,): predictions are probabilities (n, classes) or values (n,)."""
    if not rows.classes:
        return np.asarray((rows.truth - predictions) ** 2)
    hit = predictions[np.arange(len(rows.truth)), rows.truth]
    return np.asarray(-np.log(np.clip(hit, TINY, 1.0)))


def constant(rows: Rows) -> Array:
    """The loss of each row (n,) when the mean, or the shares of the classes, of the other folds are guessed."""
    guess = np.zeros((len(rows.truth), rows.classes)) if rows.classes else np.zeros(len(rows.truth))
    for learnt, held in rows.splits():
        if rows.classes:
            guess[held] = (np.bincount(rows.truth[learnt], minlength=rows.classes) + 1) / (len(learnt) + rows.classes)
        else:
            guess[held] = rows.truth[learnt].mean()
    return losses(rows, guess)


def skill(found: Array, floor: Array) -> Skill:
    """The skill of losses (n,) against those of the constant guess (n,): a ratio of means (Cochran 1977, 6.3)."""
    base = float(floor.mean())
    if base <= 0:
        return Skill(0.0, 0.0, 0.0)
    ratio = float(found.mean()) / base
    spread = 1.96 * float((found - ratio * floor).std()) / np.sqrt(len(found)) / base
    return Skill(1 - ratio, 1 - ratio - spread, 1 - ratio + spread)


def surely_less(one: Array, other: Array) -> bool:
    """Whether losses (n,) are less than others (n,) of the same rows beyond doubt."""
    difference = other - one
    return bool(difference.mean() > SURE * difference.std() / np.sqrt(len(difference)))
