"""Can a small model tell two sources apart? The area under its ROC curve, cross-fitted, with an honest interval.

Source: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests" (arXiv 1610.06545).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.classical import Boosting, Linear
from steelyard.classical.fitted import FittedEstimator
from steelyard.data.split import Protocol

Array = np.ndarray
FOLDS = 5
SHARED = 2.0  # what cross-fitting multiplies the variance by where there is nothing to tell: see `separation`
TREES = Boosting(0.1, 50, 8, l2=1.0, early_stopping="off")
Z = 1.959964


@dataclass(frozen=True)
class Separation:
    """How well two sources are told apart: the AUC (0.5: not at all), its 95 % interval, one-sided p-value, rows."""

    auc: float
    low: float
    high: float
    p: float
    rows: tuple[int, int]

    @property
    def seen(self) -> bool:
        """Whether the interval lies above 0.5."""
        return self.low > 0.5


@dataclass(frozen=True, eq=False)
class Telling:
    """Out-of-fold scores (n,) for coming from the second source, with the models by which importance is measured."""

    scores: Array
    fold: Array
    domain: Array
    groups: Array
    models: tuple["Pair", ...]


@dataclass(frozen=True, eq=False)
class Pair:
    """A linear model on ranks and boosted trees, whose answers are averaged by rank; fitted without one fold."""

    linear: FittedEstimator
    trees: FittedEstimator
    sorted_: tuple[Array, ...]

    def score(self, matrix: Array) -> Array:
        """Scores (n,), comparable within one call only."""
        linear = self.linear.predict(ranked(matrix, self.sorted_))[:, 1]
        return np.asarray(stats.rankdata(linear) + stats.rankdata(self.trees.predict(matrix)[:, 1]))


def told_apart(matrix: Array, domain: Array, groups: Array, seed: int, folds: int = FOLDS) -> Telling:
    """Models of the domain (n,) of 0 and 1 on features (n, d), each row scored by one that has not seen its group."""
    deal = Protocol("folds", folds, seed, domain, groups)
    scores, fold, models = np.zeros(len(domain)), np.zeros(len(domain), np.int64), []
    for number in range(folds):
        learnt, held = deal.split(0, number)
        model = _fitted(matrix[learnt], domain[learnt], seed)
        scores[held], fold[held] = model.score(matrix[held]), number
        models.append(model)
    return Telling(scores, fold, domain, groups, tuple(models))


def _fitted(x: Array, y: Array, seed: int) -> Pair:
    sorted_ = tuple(np.sort(column[~np.isnan(column)]) for column in x.T)
    linear = Linear(l2=float(max(1, x.shape[1]))).fit(ranked(x, sorted_), y, "binary", 2, seed)
    return Pair(linear, TREES.fit(x, y, "binary", 2, seed), sorted_)


def ranked(matrix: Array, sorted_: tuple[Array, ...]) -> Array:
    """Every column by where its values stand among sorted ones, spread 1 around 0; missing ones in the middle."""
    found = np.zeros(matrix.shape)
    for place, (column, values) in enumerate(zip(matrix.T, sorted_, strict=True)):
        if not len(values):
            continue
        below, upto = (np.searchsorted(values, column, side) for side in ("left", "right"))
        share = (below + upto) / (2 * len(values)) - 0.5
        found[:, place] = np.where(np.isnan(column), 0.0, share * np.sqrt(12))
    return found


def separation(telling: Telling) -> Separation:
    """The AUC, averaged over folds, with its interval.

    Within a fold scores come from one model that has seen none of its rows, so that chance gives 0.5. The variance is
    DeLong's (DeLong et al. 1988), summed over groups of equal rows (Obuchowski 1997), times `SHARED`: where there is
    nothing to tell, of any two rows each teaches the model that judges the other one, so that to first order every
    product of two rows is counted twice and the variance of their sum is twice that of independent folds.
    """
    area, influence = auc(telling.scores, telling.domain, telling.fold)
    error = np.sqrt(SHARED * clustered(influence, telling.groups))
    rows = int((telling.domain == 0).sum()), int((telling.domain == 1).sum())
    error = max(float(error), 0.5 / min(rows))  # perfect answers have no spread, yet are no proof of perfection
    low, high = max(0.0, area - Z * error), min(1.0, area + Z * error)
    return Separation(area, low, high, float(stats.norm.sf((area - 0.5) / error)), rows)


def gained(one: Telling, other: Telling) -> tuple[float, float]:
    """How much the AUC of the same rows rises from one model to another, and the standard error of that."""
    before, first = auc(one.scores, one.domain, one.fold)
    after, second = auc(other.scores, other.domain, other.fold)
    return after - before, float(np.sqrt(SHARED * clustered(second - first, one.groups)))


def auc(scores: Array, domain: Array, fold: Array | None = None) -> tuple[float, Array]:
    """The AUC of scores (n,), averaged over folds by their rows, and the influence (n,) of each row on it."""
    fold = np.zeros(len(scores), np.int64) if fold is None else fold
    influence, area, total = np.zeros(len(scores)), 0.0, 0.0
    usable = [f for f in np.unique(fold) if len(np.unique(domain[fold == f])) == 2]
    for each in usable:
        rows = np.flatnonzero(fold == each)
        first, second = rows[domain[rows] == 0], rows[domain[rows] == 1]
        above = _share_below(scores[first], scores[second])
        below = 1 - _share_below(scores[second], scores[first])
        mean, weight = float(above.mean()), len(rows)
        influence[second], influence[first] = (
            weight * (above - mean) / len(second),
            weight * (below - mean) / len(first),
        )
        area, total = area + weight * mean, total + weight
    return (area / total, influence / total) if total else (0.5, influence)


def clustered(influence: Array, groups: Array) -> float:
    """The variance of a sum of influences (n,) whose rows of a group are taken as one."""
    sums = np.bincount(np.unique(groups, return_inverse=True)[1].reshape(-1), influence)
    return float((sums**2).sum())


def _share_below(values: Array, at: Array) -> Array:
    """The share of values that lie below each of `at`, ties counted half."""
    ordered = np.sort(values)
    left, right = (np.searchsorted(ordered, at, side) for side in ("left", "right"))
    return np.asarray((left + right) / (2 * len(values)))
