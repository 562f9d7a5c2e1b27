"""How predictions of several targets at once are scored: labels, values, or both kinds side by side.

`truth` (n, targets) holds 0 and 1, values or class codes, NaN where a row lacks a target: what is missing does not
count. `predictions` (n, labels) are the probabilities of yes, or (n, targets) values in their own units.
"""

from collections.abc import Callable

import numpy as np
from sklearn import metrics as sk

Array = np.ndarray
Of = Callable[[Array, Array, Array | None], float]  # the truth (n,) of one target, what was predicted, weights


def marks(predictions: Array) -> Array:
    """Which labels are given (n, labels) bool: those that are more probable than not."""
    return np.asarray(predictions > 0.5)


def each_target(score: Of, truth: Array, predictions: Array, weights: Array | None) -> Array:
    """A score of every target on the rows that have it (targets,); nan where it has no meaning there."""
    found = np.full(truth.shape[1], np.nan)
    for k, column in enumerate(truth.T):
        here = ~np.isnan(column)
        if here.any():
            found[k] = score(column[here], predictions[here, k], None if weights is None else weights[here])
    return found


def _mean_over_targets(score: Of) -> Of:
    """The plain mean over the targets whose score has a meaning; nan when none has."""

    def mean(truth: Array, predictions: Array, weights: Array | None) -> float:
        found = each_target(score, truth, predictions, weights)
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    return mean


def _present(truth: Array, each: Array) -> Array:
    """The mean (n,) of what every target of a row gives, over the targets it has."""
    here = ~np.isnan(truth)
    return np.asarray(np.where(here, each, 0.0).sum(axis=1) / here.sum(axis=1))


# -- labels: one number an example ------------------------------------------------------------------------------------


def wrong_labels(truth: Array, predictions: Array) -> Array:
    """The share of labels that are wrong (n,): their mean is the Hamming loss."""
    return _present(truth, marks(predictions) != (truth == 1))


def all_right(truth: Array, predictions: Array) -> Array:
    """1 where every label is right (n,): their mean is the subset accuracy."""
    return np.asarray(wrong_labels(truth, predictions) == 0, dtype=float)


def label_log_loss(truth: Array, predictions: Array) -> Array:
    """The mean log loss of the labels (n,)."""
    of_truth = np.where(truth == 1, predictions, 1 - predictions.astype(float))
    return _present(truth, -np.log(np.clip(of_truth, 1e-7, 1.0)))


def f1_by_row(truth: Array, predictions: Array) -> Array:
    """F1 of the labels of each row (n,); one that has none and is given none is right."""
    both, said, true = _sets(truth, predictions)
    return np.where(said + true == 0, 1.0, 2 * both / np.maximum(said + true, 1))


def jaccard_by_row(truth: Array, predictions: Array) -> Array:
    """Labels in both over labels in either (n,); a row that has none and is given none is right."""
    both, said, true = _sets(truth, predictions)
    return np.where(said + true == 0, 1.0, both / np.maximum(said + true - both, 1))


def _sets(truth: Array, predictions: Array) -> tuple[Array, Array, Array]:
    """How many labels of each row are given rightly, given, and true (n,)."""
    said, true = marks(predictions) & ~np.isnan(truth), truth == 1
    return (said & true).sum(axis=1), said.sum(axis=1), true.sum(axis=1)


# -- labels: scores of counts and of ranks ----------------------------------------------------------------------------


def label_counts(truth: Array, predictions: Array) -> Array:
    """0/1 (3, n, labels): whether a label is given rightly, given, true; sums of it make every F1."""
    said, true = marks(predictions) & ~np.isnan(truth), truth == 1
    return np.stack([said & true, said, true]).astype(float)


def f1_micro(truth: Array, predictions: Array, weights: Array | None) -> float:
    """F1 over all labels of all rows taken together."""
    return float(OF_COUNTS["f1_micro"](_totals(truth, predictions, weights)))


def f1_macro(truth: Array, predictions: Array, weights: Array | None) -> float:
    """The mean F1 of the labels; one that nobody has or is given scores zero."""
    return float(OF_COUNTS["f1_macro"](_totals(truth, predictions, weights)))


def _f1(both: Array, said: Array, true: Array) -> Array:
    return np.asarray(2 * both / np.where(said + true == 0, 1.0, said + true))


OF_COUNTS: dict[str, Callable[[Array], Array]] = {  # scores (…,) of such counts summed over rows (3, …, labels)
    "f1_micro": lambda counts: _f1(*counts.sum(axis=-1)),
    "f1_macro": lambda counts: _f1(*counts).mean(axis=-1),
}


def _totals(truth: Array, predictions: Array, weights: Array | None) -> Array:
    counts = label_counts(truth, predictions)
    return np.asarray(counts.sum(axis=1) if weights is None else np.einsum("knl,n->kl", counts, weights))


def _ranked(score: Callable[..., float]) -> Of:
    """A scikit-learn score of one label's ranking; nan where all or no rows have it."""

    def one(truth: Array, predictions: Array, weights: Array | None) -> float:
        if len(np.unique(truth)) < 2:
            return float("nan")
        return float(score(truth, predictions, sample_weight=weights))

    return one


roc_auc = _mean_over_targets(_ranked(sk.roc_auc_score))
average_precision = _mean_over_targets(_ranked(sk.average_precision_score))


# -- values -----------------------------------------------------------------------------------------------------------


def distance_by_row(truth: Array, predictions: Array) -> Array:
    """The mean distance of a row's values from the truth (n,)."""
    return _present(truth, np.abs(truth - predictions))


def _unexplained(truth: Array, predictions: Array, weights: Array | None) -> float:
    """Squared error over that of the mean of the truth; nan where the truth is the same everywhere."""
    spread = np.average((truth - np.average(truth, weights=weights)) ** 2, weights=weights)
    return float(np.average((truth - predictions) ** 2, weights=weights) / spread) if spread else float("nan")


r2 = _mean_over_targets(lambda truth, predictions, weights: 1 - _unexplained(truth, predictions, weights))
rmse = _mean_over_targets(lambda t, p, weights: float(np.sqrt(np.average((t - p) ** 2, weights=weights))))
arrmse = _mean_over_targets(lambda truth, predictions, weights: _unexplained(truth, predictions, weights) ** 0.5)


# -- classes and values -----------------------------------------------------------------------------------------------


def d2(widths: tuple[int, ...]) -> Of:
    """The mean over targets of the share of a dumb baseline's loss that is explained: 1 is perfect, 0 no better.

    R² of values (width 1) and D² of the log loss of classes (as many probabilities): the baselines are the mean and
    the shares of the classes among the very rows that are scored.
    """
    ends = np.cumsum(widths)

    def mean(truth: Array, predictions: Array, weights: Array | None) -> float:
        found = []
        for column, width, end in zip(truth.T, widths, ends, strict=True):
            here = ~np.isnan(column)
            score = d2_log_loss if width > 1 else r2_of
            mine = predictions[here, end - width : end] if width > 1 else predictions[here, end - 1]
            found.append(
                score(column[here], mine, None if weights is None else weights[here]) if here.any() else np.nan
            )
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    return mean


def r2_of(truth: Array, predictions: Array, weights: Array | None = None) -> float:
    """R² of one target (n,); nan where the truth is the same everywhere."""
    return 1 - _unexplained(truth, predictions, weights)


def d2_log_loss(truth: Array, predictions: Array, weights: Array | None = None) -> float:
    """1 - log loss over that of the classes' shares, from codes (n,) and probabilities (n, classes)."""
    codes, every = truth.astype(int), np.ones(len(truth)) if weights is None else weights
    shares = np.bincount(codes, every, predictions.shape[1]) / every.sum()
    dumb = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
    ours = np.average(-np.log(np.clip(predictions[np.arange(len(codes)), codes], 1e-7, 1.0)), weights=every)
    return float(1 - ours / dumb) if dumb > 0 else float("nan")


# -- ordered classes --------------------------------------------------------------------------------------------------


def median(predictions: Array) -> Array:
    """The median class (n,) of probabilities (n, classes) in order: it has the smallest expected distance in ranks."""
    below = np.cumsum(predictions[:, :-1], axis=1) < 0.5 * predictions.sum(axis=1, keepdims=True)
    return np.asarray(below.sum(axis=1))


def ranks_off(truth: Array, predictions: Array) -> Array:
    """How many ranks the median class is off (n,)."""
    return np.asarray(np.abs(truth - median(predictions)), dtype=float)


def quadratic_kappa(truth: Array, predictions: Array, weights: Array | None) -> float:
    """Cohen's kappa of the median class, disagreement counted by its squared ranks (Cohen 1968); nan without any."""
    said = median(predictions)
    seen = np.average((truth - said) ** 2, weights=weights)
    means = [np.average(each, weights=weights) for each in (truth, said)]
    squares = [np.average(each**2, weights=weights) for each in (truth, said)]
    expected = float(squares[0] + squares[1] - 2 * means[0] * means[1])
    return 1 - float(seen) / expected if expected > 0 else float("nan")
