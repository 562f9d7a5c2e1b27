"""A threshold for each of several labels, tuned one after the other while the others stay.

Where the score is made of how often each label is given rightly, given and true, only the counts of the one that moves
are taken anew.
"""

import numpy as np

from steelyard.metrics import Metric
from steelyard.several import OF_COUNTS, label_counts

Array = np.ndarray
PLACES = 32  # tried for a label
ROUNDS = 3  # over labels at the most
EDGE = 0.5  # how far beyond the outermost example a threshold may go


def tuned_labels(metric: Metric, truth: Array, probabilities: Array, weights: Array | None) -> Array:
    """Shifts (labels,) of the log-odds at which a metric of truth (n, labels) is best; zeros where none does better."""
    p = np.clip(probabilities.astype(np.float64), 1e-9, 1 - 1e-9)
    needed, shift, best = np.log1p(-p) - np.log(p), np.zeros(p.shape[1]), -np.inf
    counted = np.ones(len(truth)) if weights is None else weights
    for _ in range(ROUNDS):
        before = best
        for label in range(len(shift)):
            places = np.unique(np.quantile(needed[:, label], np.linspace(0, 1, PLACES)))
            gains = np.concatenate([[places[0] - EDGE], (places[1:] + places[:-1]) / 2, [0.0, shift[label]]])
            scores = metric.sign * _scores(metric, truth, needed, shift, label, gains, counted)
            top = np.flatnonzero(scores >= scores.max() - 1e-12)
            chosen = top[np.argmin(np.abs(gains[top]))]  # of several the one nearest to none
            shift[label], best = gains[chosen], float(scores[chosen])
        if best <= before:
            break
    return shift


def _scores(
    metric: Metric, truth: Array, needed: Array, shift: Array, label: int, gains: Array, weights: Array
) -> Array:
    """The score (gains,) with each of those shifts of one label; a label is given where its shift is above `needed`."""
    given = (shift > needed).astype(float)
    if (of_counts := OF_COUNTS.get(metric.name)) is None:
        scores = []
        for gain in gains:
            given[:, label] = gain > needed[:, label]
            scores.append(metric(truth, given, weights))
        return np.array(scores)
    totals = np.einsum("knl,n->kl", label_counts(truth, given), weights)
    counts = np.repeat(totals[:, None], len(gains), axis=1)
    said = (gains > needed[:, label, None]) & ~np.isnan(truth[:, label, None])
    counts[0, :, label] = (weights * (truth[:, label] == 1)) @ said
    counts[1, :, label] = weights @ said
    return of_counts(counts)
