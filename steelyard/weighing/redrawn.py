"""The scores of a model on many redrawn samples at once: a metric as a function of how often each example was drawn.

A bootstrap calls a metric a thousand times for every model. Most metrics are a function of sums over examples, so that
all draws come from one product of matrices; those of ranks need one sort of the predictions for all draws.
"""

from collections.abc import Callable, Sequence

import numpy as np

from steelyard.metrics import Metric, labels
from steelyard.several import OF_COUNTS, label_counts

Array = np.ndarray
Way = Callable[[Array, Array, Array], Array]  # truth, predictions, counts: the score of every draw


def redrawn(metric: Metric, truth: Array, models: Sequence[Array], counts: Array) -> Array:
    """The score of each model on each draw: (draws, models).

    `counts` (n, draws) says how often each example is in a draw; nan where the metric is not defined on a draw.
    """
    if metric.per_example is not None:
        each = np.stack([metric.per_example(truth, predictions) for predictions in models])
        return _ratio(each @ counts, counts.sum(axis=0)).T
    way = way_of(metric, truth) or _one_by_one(metric)
    return np.stack([way(truth, predictions, counts) for predictions in models], axis=1)


def way_of(metric: Metric, truth: Array) -> Way | None:
    """How that metric is computed for all draws at once; None: draw by draw."""
    return (WAYS if truth.ndim == 1 else SEVERAL).get(metric.name)


def draws(examples: int, times: int, seed: int) -> Array:
    """How often each example is in each of so many samples with replacement: (examples, times)."""
    rows = np.random.default_rng(seed).integers(0, examples, (examples, times))
    places = rows * times + np.arange(times)
    return np.bincount(places.ravel(), minlength=examples * times).reshape(examples, times).astype(float)


def _ratio(part: Array, whole: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(part / whole)


def _root_mean(square: Way) -> Way:
    return lambda truth, predictions, counts: np.sqrt(
        _ratio(square(truth, predictions, counts) @ counts, counts.sum(axis=0))
    )


def _square(truth: Array, predictions: Array, _: Array) -> Array:
    return np.asarray((truth - predictions) ** 2)


def _log_square(truth: Array, predictions: Array, _: Array) -> Array:
    return np.asarray((np.log1p(truth) - np.log1p(np.maximum(predictions, 0))) ** 2)


def _r2(truth: Array, predictions: Array, counts: Array) -> Array:
    centred = truth - truth.mean()
    spread = centred**2 @ counts - _ratio((centred @ counts) ** 2, counts.sum(axis=0))
    spread[spread <= 1e-12 * max(1.0, float(centred @ centred))] = np.nan  # all examples of the draw are alike
    return np.asarray(1 - (truth - predictions) ** 2 @ counts / spread)


def _of_classes(score: Callable[[Array, Array, Array], Array], average: str) -> Way:
    """A score from hits, truth and predictions counted by class (classes, draws); averaged over classes that occur.

    `average`: "auto" is the second class when there are two, else "macro"; "truth" is over the classes of the truth.
    """

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        one = np.eye(predictions.shape[1])
        true, said = one[:, truth], one[:, labels(predictions)]
        hits, true, said = np.split(np.concatenate([true * said, true, said]) @ counts, 3)
        each = np.nan_to_num(score(hits, true, said))  # a class that nobody has, or predicts, scores zero
        if average == "auto" and len(each) == 2:
            return np.asarray(each[1])
        there = true > 0 if average == "truth" else true + said > 0
        return _ratio((each * there).sum(axis=0), there.sum(axis=0))

    return of


def _of_ranks(score: Callable[[Array, Array], Array]) -> Way:
    """A score from (hits, rows) with at least each value that is predicted, largest first; the mean over classes."""

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        classes = (1,) if predictions.shape[1] == 2 else range(predictions.shape[1])
        each = []
        for k in classes:
            order = np.argsort(-predictions[:, k], kind="stable")
            lasts = np.flatnonzero(np.diff(predictions[order, k], append=-np.inf))  # of equal values
            rows = counts[order]
            hits = np.cumsum(rows * (truth[order] == k)[:, None], axis=0)
            each.append(score(hits[lasts], np.cumsum(rows, axis=0, out=rows)[lasts]))
        found = np.stack(each)
        there = np.isfinite(found)
        return _ratio(np.where(there, found, 0).sum(axis=0), there.sum(axis=0))

    return of


def _area(hits: Array, rows: Array) -> Array:
    """By trapezoids under the curve of hits over misses."""
    misses = rows - hits
    double = np.einsum("ij,ij->j", np.diff(misses, axis=0), hits[1:] + hits[:-1]) + misses[0] * hits[0]
    return _ratio(double / 2, hits[-1] * misses[-1])


def _average_precision(hits: Array, rows: Array) -> Array:
    """The mean precision at the hits."""
    precision = np.nan_to_num(_ratio(hits, rows))
    return _ratio(np.einsum("ij,ij->j", np.diff(hits, axis=0, prepend=0), precision), hits[-1])


def _of_label_counts(name: str) -> Way:
    """A score of how often each label is given rightly, given and true."""

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        return OF_COUNTS[name](np.einsum("knl,nd->kdl", label_counts(truth, predictions), counts, optimize=True))

    return of


def _by_target(score: Way) -> Way:
    """The mean over targets of a score of each, on the rows that have it; those it has no meaning for are left out."""

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        each = []
        for k, column in enumerate(truth.T):
            here = ~np.isnan(column)
            if here.any():
                each.append(score(column[here], predictions[here, k], counts[here]))
        found = np.stack(each)
        there = np.isfinite(found)
        return _ratio(np.where(there, found, 0).sum(axis=0), there.sum(axis=0))

    return of


def _of_label(score: Way) -> Way:
    """A score of two classes, from the probability of yes; nan on a draw that has only one of them."""

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        yes = truth @ counts
        both = (yes > 0) & (yes < counts.sum(axis=0))
        codes = truth.astype(int)
        return np.where(both, score(codes, np.stack([1 - predictions, predictions], axis=1), counts), np.nan)

    return of


def _one_by_one(metric: Metric) -> Way:
    """Any other metric, draw by draw."""

    def of(truth: Array, predictions: Array, counts: Array) -> Array:
        return np.array([metric(truth, predictions, each) for each in counts.T])

    return of


_recall = _of_classes(lambda hits, true, said: _ratio(hits, true), "auto")
_f1 = {how: _of_classes(lambda hits, true, said: _ratio(2 * hits, true + said), how) for how in ("auto", "macro")}
WAYS: dict[str, Way] = {
    "rmse": _root_mean(_square),
    "rmsle": _root_mean(_log_square),
    "r2": _r2,
    "f1": _f1["auto"],
    "f1_macro": _f1["macro"],
    "recall": _recall,
    "precision": _of_classes(lambda hits, true, said: _ratio(hits, said), "auto"),
    "balanced_accuracy": _of_classes(lambda hits, true, said: _ratio(hits, true), "truth"),
    "roc_auc": _of_ranks(_area),
    "average_precision": _of_ranks(_average_precision),
}
SEVERAL: dict[str, Way] = {  # of several targets: truth and predictions (n, targets)
    "rmse": _by_target(WAYS["rmse"]),
    "r2": _by_target(_r2),
    "arrmse": _by_target(lambda truth, predictions, counts: np.sqrt(1 - _r2(truth, predictions, counts))),
    **{name: _of_label_counts(name) for name in OF_COUNTS},
    "roc_auc": _by_target(_of_label(WAYS["roc_auc"])),
    "average_precision": _by_target(_of_label(WAYS["average_precision"])),
}
