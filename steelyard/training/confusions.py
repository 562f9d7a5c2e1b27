"""Confusions for every place of a threshold at once, and what metrics of labels make of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.metrics import Metric

Array = np.ndarray
CELLS = 4_000_000  # numbers held at once: many classes are swept in fewer places
FEW = 32  # places at which a metric is asked that only scores examples


@dataclass(frozen=True)
class Swept:
    """What is predicted as one class gains on the others: `gains` (m,) in log-probability, from little to much.

    `confusions` (m, classes, classes) holds the weight of each true class (row) predicted as each class (column);
    place `now` is where the class stands without a gain.
    """

    gains: Array
    confusions: Array
    now: int

    @classmethod
    def of(cls, truth: Array, logs: Array, weights: Array, code: int, edge: float, most: int | None = None) -> "Swept":
        """The sweep of class `code` over rows with log-probabilities (n, classes) and class codes (n,)."""
        classes = logs.shape[1]
        others = logs.copy()
        others[:, code] = -np.inf
        rival = others.argmax(axis=1)
        with np.errstate(invalid="ignore"):
            needed = others[np.arange(len(truth)), rival] - logs[:, code]
        always, never = np.isneginf(needed), np.isnan(needed) | np.isposinf(needed)
        order = np.flatnonzero(~always & ~never)
        order = order[np.argsort(needed[order], kind="stable")]
        start = np.zeros((classes, classes))
        np.add.at(start, (truth, np.where(always, code, rival)), weights)
        gains, after = _places(needed[order], edge, max(4, min(most or CELLS, CELLS // classes**2)))
        steps = np.zeros((len(gains), classes, classes))
        place = np.searchsorted(after, np.arange(len(order)), side="right")
        np.add.at(steps, (place, truth[order], np.full(len(order), code)), weights[order])
        np.add.at(steps, (place, truth[order], rival[order]), -weights[order])
        found = start + np.cumsum(steps, axis=0)
        found[np.abs(found) < 1e-12 * weights.sum()] = 0.0  # what sums of weights leave where nothing is
        return cls(gains, found, int(np.argmin(np.abs(gains))))


def _places(needed: Array, edge: float, most: int) -> tuple[Array, Array]:
    """Gains (m,) between the sorted values (n,) and beyond them, no gain among them, and how many values lie below."""
    if not len(needed):
        return np.zeros(1), np.zeros(1, dtype=np.int64)
    below = np.flatnonzero(np.diff(needed) > 0) + 1
    if len(below) > most:
        below = below[np.unique(np.linspace(0, len(below) - 1, most).round().astype(int))]
    middles = (needed[below - 1] + needed[below]) / 2
    gains = np.concatenate([[min(needed[0], 0) - edge], middles, [max(needed[-1], 0) + edge], [0.0]])
    after = np.concatenate([[0], below, [len(needed)], [np.searchsorted(needed, 0.0)]])
    order = np.argsort(gains, kind="stable")
    return gains[order], after[order]


def scores_of(metric: Metric, confusions: Array) -> Array:
    """The score (m,) of a metric of labels for confusions (m, classes, classes)."""
    if metric.costs is not None:
        return _cost(confusions, np.array(metric.costs))
    if metric.name in SCORES:
        with np.errstate(divide="ignore", invalid="ignore"):
            return SCORES[metric.name](confusions)
    classes = confusions.shape[1]  # a cell is an example that weighs as much as all that fell into it
    truth, predicted = np.repeat(np.arange(classes), classes), np.eye(classes)[np.tile(np.arange(classes), classes)]
    return np.array([metric(truth, predicted, np.maximum(each, 0).ravel()) for each in confusions])


def _hits(confusions: Array) -> Array:
    return np.diagonal(confusions, axis1=1, axis2=2)


def _cost(confusions: Array, costs: Array) -> Array:
    return np.asarray((confusions * costs).sum(axis=(1, 2)) / confusions.sum(axis=(1, 2)))


def _accuracy(confusions: Array) -> Array:
    return np.asarray(_hits(confusions).sum(axis=1) / confusions.sum(axis=(1, 2)))


def _balanced_accuracy(confusions: Array) -> Array:
    return np.asarray(np.nanmean(_hits(confusions) / confusions.sum(axis=2), axis=1))


def _one_or_mean(values: Array, confusions: Array) -> Array:
    """The value (m, classes) of the second of two classes, else the mean over classes that occur; undefined is zero."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0)
    return np.asarray(values[:, 1]) if values.shape[1] == 2 else _mean(values, confusions)


def _mean(values: Array, confusions: Array) -> Array:
    values = np.nan_to_num(values, nan=0.0, posinf=0.0)
    there = confusions.sum(axis=1) + confusions.sum(axis=2) > 0
    return np.asarray((values * there).sum(axis=1) / there.sum(axis=1))


def _f1(confusions: Array) -> Array:
    return np.asarray(2 * _hits(confusions) / (confusions.sum(axis=1) + confusions.sum(axis=2)))


SCORES: dict[str, Callable[[Array], Array]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": lambda c: _one_or_mean(_f1(c), c),
    "f1_macro": lambda c: _mean(_f1(c), c),
    "precision": lambda c: _one_or_mean(_hits(c) / c.sum(axis=1), c),
    "recall": lambda c: _one_or_mean(_hits(c) / c.sum(axis=2), c),
}
