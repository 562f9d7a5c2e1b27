"""How predictions are scored: metrics by their scikit-learn names, in their own unit and sign."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from sklearn import metrics as sk

from steelyard import several
from steelyard.errors import UserError, suggest

Array = np.ndarray
Needs = Literal["labels", "probabilities", "values"]
Scoring = Callable[[Array, Array, Array | None], float]  # truth, predictions, weights
Costs = tuple[tuple[float, ...], ...]  # of each true class (row) predicted as each class (column)


@dataclass(frozen=True)
class Metric:
    """A score over examples. `truth` holds class codes (n,) or values (n,); `predictions` (n, classes) or (n,).

    For several targets at once both are matrices (see `several`).
    `weights` (n,), not negative, say how much each example counts; None: all count alike. `costs` is the matrix of the
    metric "cost", `widths` how many numbers the metric "d2" finds for every target.
    """

    name: str
    needs: Needs
    greater_is_better: bool
    function: Scoring
    tasks: tuple[str, ...]
    per_example: Callable[[Array, Array], Array] | None = None  # when the score is a mean over examples
    costs: Costs | None = None
    step: float | None = None  # of the metric "mase": the mean error of a naive forecast
    widths: tuple[int, ...] | None = None

    def __call__(self, truth: Array, predictions: Array, weights: Array | None = None) -> float:
        """The score in the metric's own unit and sign; nan when no example has a weight."""
        if weights is None:
            return float(self.function(truth, predictions, None))
        counted = weights > 0
        if not counted.any():
            return float("nan")
        return float(self.function(truth[counted], predictions[counted], weights[counted]))

    def by_example(self, truth: Array, predictions: Array, weights: Array | None = None) -> Array:
        """What each example gives to a score that is a mean over examples, (n,): their plain mean is the score.

        A weighted mean is a ratio of two sums over examples. Its linear form is taken (Cochran 1977, "Sampling
        Techniques", section 6.3), so that the spread of these values over the root of n is its standard error.
        """
        assert self.per_example is not None, f"{self.name} is no mean over examples"
        each = np.asarray(self.per_example(truth, predictions), dtype=float)
        if weights is None:
            return each
        mean = np.average(each, weights=weights)
        return np.asarray(mean + weights * (each - mean) / weights.mean())

    @property
    def sign(self) -> int:
        """+1 when greater is better, -1 when smaller is."""
        return 1 if self.greater_is_better else -1

    @property
    def key(self) -> str:
        """What tells it from every other metric: its name, and its costs, widths or step where it has them."""
        bound = next((each for each in (self.costs, self.widths, self.step) if each is not None), None)
        return self.name if bound is None else f"{self.name} {bound}"

    def better(self, a: float, b: float) -> bool:
        """Whether score `a` is strictly better than score `b`."""
        return self.sign * (a - b) > 0

    def __reduce__(self) -> tuple[Callable[..., "Metric"], tuple[Any, ...]]:
        if self.step is not None:
            return (mase, (self.step,))
        if self.widths is not None:
            return (d2, (self.widths,))
        return (metric, (self.name,)) if self.costs is None else (cost, (self.costs,))


def labels(predictions: Array) -> Array:
    """The class codes (n,) of the largest probability in (n, classes)."""
    return np.asarray(predictions.argmax(axis=1))


def _either(one: Callable[..., Any], many: Callable[..., Any]) -> Callable[..., Any]:
    """The score of one target, or of several where the truth is a matrix."""
    return lambda truth, *rest: (many if truth.ndim == 2 else one)(truth, *rest)


def _mean(per_example: Callable[[Array, Array], Array]) -> Scoring:
    """The mean of what each example scores."""
    return lambda truth, predictions, weights: float(np.average(per_example(truth, predictions), weights=weights))


def _root_mean(per_example: Callable[[Array, Array], Array]) -> Scoring:
    mean = _mean(per_example)
    return lambda truth, predictions, weights: float(np.sqrt(mean(truth, predictions, weights)))


def _right(truth: Array, predictions: Array) -> Array:
    return np.asarray(labels(predictions) == truth, dtype=float)


def _surprise(truth: Array, predictions: Array) -> Array:
    rows = np.clip(predictions[np.arange(len(truth)), truth], 1e-7, 1.0)
    return np.asarray(-np.log(rows), dtype=float)


def _roc_auc(truth: Array, predictions: Array, weights: Array | None) -> float:
    classes = predictions.shape[1]
    if classes == 2:
        return float(sk.roc_auc_score(truth, predictions[:, 1], sample_weight=weights))
    present = [k for k in range(classes) if (truth == k).any()]
    return float(np.mean([sk.roc_auc_score(truth == k, predictions[:, k], sample_weight=weights) for k in present]))


def _average_precision(truth: Array, predictions: Array, weights: Array | None) -> float:
    every = range(1, 2) if predictions.shape[1] == 2 else range(predictions.shape[1])
    classes = [k for k in every if (truth == k).any()]  # a class that does not occur has no precision
    scores = [sk.average_precision_score(truth == k, predictions[:, k], sample_weight=weights) for k in classes]
    return float(np.mean(scores))


def _of_labels(function: Callable[..., float], average: str) -> Scoring:
    """A scikit-learn score of labels; a class nobody predicts scores zero."""

    def score(truth: Array, predictions: Array, weights: Array | None) -> float:
        if average == "auto":  # the second class when there are two, else the mean over classes
            how = {"average": "binary"} if predictions.shape[1] == 2 else {"average": "macro"}
        else:
            how = {"average": average}
        return float(function(truth, labels(predictions), zero_division=0, sample_weight=weights, **how))

    return score


def _balanced_accuracy(truth: Array, predictions: Array, weights: Array | None) -> float:
    hits, weights = _right(truth, predictions), np.ones(len(truth)) if weights is None else weights
    return float(np.mean([np.average(hits[truth == k], weights=weights[truth == k]) for k in np.unique(truth)]))


def _square(truth: Array, predictions: Array) -> Array:
    return np.asarray((truth - predictions) ** 2, dtype=float)


def _log_square(truth: Array, predictions: Array) -> Array:
    return _square(np.log1p(truth), np.log1p(np.maximum(predictions, 0)))


def _off(truth: Array, predictions: Array) -> Array:
    """The distance from the truth, in ranks where classes are ordered."""
    if predictions.ndim == 2:
        return several.ranks_off(truth, predictions)
    return np.asarray(np.abs(truth - predictions), dtype=float)


def _r2(truth: Array, predictions: Array, weights: Array | None) -> float:
    return float(sk.r2_score(truth, predictions, sample_weight=weights))


CLASSES = ("binary", "multiclass", "ordinal")
LABELS = ("multilabel",)
VALUES = ("regression", "multioutput")
_hits, _log_loss = _either(_right, several.all_right), _either(_surprise, several.label_log_loss)
_distance = _either(_off, several.distance_by_row)
_f1_macro = _either(_of_labels(sk.f1_score, "macro"), several.f1_macro)
_precision = _either(_average_precision, several.average_precision)
METRICS = {
    m.name: m
    for m in (
        Metric("accuracy", "labels", True, _mean(_hits), (*CLASSES, *LABELS), _hits),
        Metric("balanced_accuracy", "labels", True, _balanced_accuracy, CLASSES),
        Metric("f1", "labels", True, _of_labels(sk.f1_score, "auto"), CLASSES),
        Metric("f1_macro", "labels", True, _f1_macro, (*CLASSES, *LABELS)),
        Metric("f1_micro", "labels", True, several.f1_micro, LABELS),
        Metric("f1_samples", "labels", True, _mean(several.f1_by_row), LABELS, several.f1_by_row),
        Metric("jaccard_samples", "labels", True, _mean(several.jaccard_by_row), LABELS, several.jaccard_by_row),
        Metric("hamming_loss", "labels", False, _mean(several.wrong_labels), LABELS, several.wrong_labels),
        Metric("precision", "labels", True, _of_labels(sk.precision_score, "auto"), CLASSES),
        Metric("recall", "labels", True, _of_labels(sk.recall_score, "auto"), CLASSES),
        Metric("roc_auc", "probabilities", True, _either(_roc_auc, several.roc_auc), (*CLASSES, *LABELS)),
        Metric("average_precision", "probabilities", True, _precision, (*CLASSES, *LABELS)),
        Metric("log_loss", "probabilities", False, _mean(_log_loss), (*CLASSES, *LABELS), _log_loss),
        Metric("quadratic_kappa", "labels", True, several.quadratic_kappa, ("ordinal",)),
        Metric("rmse", "values", False, _either(_root_mean(_square), several.rmse), VALUES),
        Metric("rmsle", "values", False, _root_mean(_log_square), ("regression",)),
        Metric("mae", "values", False, _mean(_distance), (*VALUES, "ordinal"), _distance),
        Metric("r2", "values", True, _either(_r2, several.r2), VALUES),
        Metric("arrmse", "values", False, several.arrmse, ("multioutput",)),
    )
}
ALIASES = {
    "root_mean_squared_error": "rmse",
    "neg_root_mean_squared_error": "rmse",
    "root_mean_squared_log_error": "rmsle",
    "neg_root_mean_squared_log_error": "rmsle",
    "mean_absolute_error": "mae",
    "neg_mean_absolute_error": "mae",
    "neg_log_loss": "log_loss",
    "auc": "roc_auc",
    "pr_auc": "average_precision",
    "subset_accuracy": "accuracy",
    "jaccard": "jaccard_samples",
    "quadratic_weighted_kappa": "quadratic_kappa",
}
COST, D2 = "cost", "d2"
NEEDS_COSTS = f"metric '{COST}' needs to know what every true class predicted as every class costs: give --costs FILE"


@cache
def cost(costs: Costs) -> Metric:
    """The metric "cost": the mean cost of the predicted label, from the cost of each true class predicted as each."""
    matrix = np.array(costs, dtype=float)

    def per_example(truth: Array, predictions: Array) -> Array:
        return np.asarray(matrix[truth, labels(predictions)])

    return Metric(COST, "labels", False, _mean(per_example), CLASSES, per_example, costs)


def _without_costs(truth: Array, predictions: Array, weights: Array | None = None) -> Any:
    raise UserError(NEEDS_COSTS)


MASE = "mase"
NEEDS_STEPS = f"metric '{MASE}' is for forecasts: it is told in errors of the last value; give a horizon, or use mae"


@cache
def mase(step: float) -> Metric:
    """The metric "mase": the mean distance in units of `step`, what a naive forecast of train errs by on the average.

    Source: Hyndman & Koehler 2006, "Another look at measures of forecast accuracy", section 3.
    """

    def per_example(truth: Array, predictions: Array) -> Array:
        return np.asarray(np.abs(truth - predictions) / step, dtype=float)

    return Metric(MASE, "values", False, _mean(per_example), VALUES, per_example, step=step)


def _without_steps(truth: Array, predictions: Array, weights: Array | None = None) -> Any:
    raise UserError(NEEDS_STEPS)


UNSTEPPED = Metric(MASE, "values", False, _without_steps, VALUES, _without_steps)  # knows its sign, cannot score


@cache
def d2(widths: tuple[int, ...]) -> Metric:
    """The metric "d2" for targets that are predicted by so many numbers each."""
    return Metric(D2, "probabilities", True, several.d2(widths), ("multitask",), widths=widths)


def _without_widths(truth: Array, predictions: Array, weights: Array | None = None) -> Any:
    raise UserError(f"metric '{D2}' needs to know the targets: take the one of the problem (Problem.measure)")


UNBOUND = Metric(D2, "probabilities", True, _without_widths, ("multitask",))
UNPRICED = Metric(COST, "labels", False, _without_costs, CLASSES, _without_costs)  # knows its sign, cannot score


def metric(name: str) -> Metric:
    """The metric of that name (scikit-learn's names and the usual short ones).

    "cost", "d2" and "mase" by their names alone cannot score: `Problem.measure` is bound to the costs, targets or step.
    """
    known = ALIASES.get(name, name)
    bare = {each.name: each for each in (UNPRICED, UNBOUND, UNSTEPPED)}
    if known in bare:
        return bare[known]
    if known not in METRICS:
        raise UserError(f"there is no metric '{name}'{suggest(name, [*METRICS, *bare, *ALIASES])}")
    return METRICS[known]
