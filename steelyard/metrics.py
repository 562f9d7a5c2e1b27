"""How predictions are scored: metrics by their scikit-learn names, in their own unit and sign."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn import metrics as sk

from steelyard.errors import UserError, suggest

Array = np.ndarray
Needs = Literal["labels", "probabilities", "values"]


@dataclass(frozen=True)
class Metric:
    """A score over examples. `truth` holds class codes (n,) or values (n,); `predictions` (n, classes) or (n,)."""

    name: str
    needs: Needs
    greater_is_better: bool
    function: Callable[[Array, Array], float]
    tasks: tuple[str, ...]
    per_example: Callable[[Array, Array], Array] | None = None  # when the score is a mean over examples

    def __call__(self, truth: Array, predictions: Array) -> float:
        """The score in the metric's own unit and sign."""
        return float(self.function(truth, predictions))

    @property
    def sign(self) -> int:
        """+1 when greater is better, -1 when smaller is."""
        return 1 if self.greater_is_better else -1

    def better(self, a: float, b: float) -> bool:
        """Whether score `a` is strictly better than score `b`."""
        return self.sign * (a - b) > 0

    def __reduce__(self) -> tuple[Callable[[str], "Metric"], tuple[str]]:
        return (metric, (self.name,))


def labels(predictions: Array) -> Array:
    """The class codes (n,) of the largest probability in (n, classes)."""
    return np.asarray(predictions.argmax(axis=1))


def _hits(truth: Array, predictions: Array) -> Array:
    return np.asarray(labels(predictions) == truth, dtype=float)


def _accuracy(truth: Array, predictions: Array) -> float:
    return float(_hits(truth, predictions).mean())


def _log_loss(truth: Array, predictions: Array) -> Array:
    rows = np.clip(predictions[np.arange(len(truth)), truth], 1e-7, 1.0)
    return np.asarray(-np.log(rows), dtype=float)


def _roc_auc(truth: Array, predictions: Array) -> float:
    classes = predictions.shape[1]
    if classes == 2:
        return float(sk.roc_auc_score(truth, predictions[:, 1]))
    scores = [sk.roc_auc_score(truth == k, predictions[:, k]) for k in range(classes) if (truth == k).sum() > 0]
    return float(np.mean(scores))


def _average_precision(truth: Array, predictions: Array) -> float:
    every = range(1, 2) if predictions.shape[1] == 2 else range(predictions.shape[1])
    classes = [k for k in every if (truth == k).any()]  # a class that does not occur has no precision
    return float(np.mean([sk.average_precision_score(truth == k, predictions[:, k]) for k in classes]))


def _of_labels(function: Callable[..., float], average: str) -> Callable[[Array, Array], float]:
    """A scikit-learn score of labels; a class nobody predicts scores zero."""

    def score(truth: Array, predictions: Array) -> float:
        if average == "auto":  # the second class when there are two, else the mean over classes
            how = {"average": "binary"} if predictions.shape[1] == 2 else {"average": "macro"}
        else:
            how = {"average": average}
        return float(function(truth, labels(predictions), zero_division=0, **how))

    return score


def _balanced_accuracy(truth: Array, predictions: Array) -> float:
    hits = _hits(truth, predictions)
    return float(np.mean([hits[truth == k].mean() for k in np.unique(truth)]))


def _square(truth: Array, predictions: Array) -> Array:
    return np.asarray((truth - predictions) ** 2, dtype=float)


def _log_square(truth: Array, predictions: Array) -> Array:
    return _square(np.log1p(truth), np.log1p(np.maximum(predictions, 0)))


CLASSES = ("binary", "multiclass")
VALUES = ("regression",)
METRICS = {
    m.name: m
    for m in (
        Metric("accuracy", "labels", True, _accuracy, CLASSES, _hits),
        Metric("balanced_accuracy", "labels", True, _balanced_accuracy, CLASSES),
        Metric("f1", "labels", True, _of_labels(sk.f1_score, "auto"), CLASSES),
        Metric("f1_macro", "labels", True, _of_labels(sk.f1_score, "macro"), CLASSES),
        Metric("precision", "labels", True, _of_labels(sk.precision_score, "auto"), CLASSES),
        Metric("recall", "labels", True, _of_labels(sk.recall_score, "auto"), CLASSES),
        Metric("roc_auc", "probabilities", True, _roc_auc, CLASSES),
        Metric("average_precision", "probabilities", True, _average_precision, CLASSES),
        Metric("log_loss", "probabilities", False, lambda t, p: float(_log_loss(t, p).mean()), CLASSES, _log_loss),
        Metric("rmse", "values", False, lambda t, p: float(np.sqrt(_square(t, p).mean())), VALUES),
        Metric("rmsle", "values", False, lambda t, p: float(np.sqrt(_log_square(t, p).mean())), VALUES),
        Metric("mae", "values", False, lambda t, p: float(np.abs(t - p).mean()), VALUES, lambda t, p: np.abs(t - p)),
        Metric("r2", "values", True, lambda t, p: float(sk.r2_score(t, p)), VALUES),
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
}


def metric(name: str) -> Metric:
    """The metric of that name (scikit-learn's names and the usual short ones)."""
    known = ALIASES.get(name, name)
    if known not in METRICS:
        raise UserError(f"there is no metric '{name}'{suggest(name, [*METRICS, *ALIASES])}")
    return METRICS[known]
