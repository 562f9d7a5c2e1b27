"""Decisions: where the threshold between classes lies, tuned on rows that nothing was learnt from.

A moved threshold is kept as a shift of the log-probabilities: that of the largest moved probability is the label.
"""

from dataclasses import dataclass

import numpy as np

from steelyard.knobs import knob
from steelyard.metrics import Metric
from steelyard.parts import Decision
from steelyard.training.confusions import FEW, SCORES, Swept, scores_of
from steelyard.training.label_thresholds import tuned_labels

Array = np.ndarray
FOLDS = 5  # of dev: what is scored was moved by thresholds tuned on the other four
ROUNDS = 3  # over classes at the most, each moved while the others stay
EDGE = 0.5  # how far beyond the outermost example a threshold may go


@dataclass(frozen=True)
class TunedThreshold(Decision):
    """The shifts at which the metric is best on dev, by `share` of the way; at 0 nothing is moved."""

    share: float = knob(1.0, 0.0, 1.0)

    def tune(self, metric: Metric, truth: Array, probabilities: Array, weights: Array | None = None) -> Array:
        """Shifts (k,) for the truth of rows with probabilities (n, k), as `tuned` has them."""
        return self.share * tuned(metric, truth, probabilities, weights)

    def cross_fitted(
        self, metric: Metric, truth: Array, probabilities: Array, weights: Array | None, seed: int
    ) -> Array:
        """The probabilities (n, k), every fifth of the rows moved by shifts tuned on the other four."""
        part, found = folds_of(truth, seed), probabilities.copy()
        for k in range(FOLDS):
            here, rest = part == k, part != k
            if here.any() and rest.any():
                counted = None if weights is None else weights[rest]
                shift = self.tune(metric, truth[rest], probabilities[rest], counted)
                found[here] = moved(probabilities[here], shift, truth.ndim == 2)
        return found


def folds_of(truth: Array, seed: int) -> Array:
    """A number in 0..4 for every row (n,): at random, each class (or number of labels) dealt out evenly."""
    random = np.random.default_rng([seed, 5])
    order = np.lexsort((random.random(len(truth)), truth if truth.ndim == 1 else truth.sum(axis=1)))
    part = np.empty(len(truth), dtype=np.int64)
    part[order] = (np.arange(len(truth)) + random.integers(FOLDS)) % FOLDS
    return part


def moved(probabilities: Array, shift: Array, each: bool = False) -> Array:
    """Probabilities (n, k) with their logarithms shifted by (k,), in their own type; they sum to one.

    With `each`, every column is the probability of a label of its own, whose log-odds are shifted.
    """
    if not np.any(shift):
        return probabilities
    p, shift = probabilities.astype(np.float64), np.asarray(shift, np.float64)
    if each:
        odds = p * np.exp(np.minimum(shift, 0.0))  # the larger of the two sides keeps its size: nothing overflows
        found = odds / np.maximum(odds + (1 - p) * np.exp(-np.maximum(shift, 0.0)), 1e-300)
        return np.asarray(found, dtype=probabilities.dtype)
    scaled = p * np.exp(shift - shift.max())
    total = scaled.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, scaled / np.maximum(total, 1e-300), p), dtype=probabilities.dtype)


def tuned(metric: Metric, truth: Array, probabilities: Array, weights: Array | None = None) -> Array:
    """Shifts (k,) that make a metric of labels as good as it gets; zeros where none does better.

    For class codes (n,) and probabilities (n, k) the shifts have mean 0: of two classes the best of all thresholds; of
    more, one class after the other is moved while the others stay, until a round gains nothing. For truth (n, k) of 0
    and 1, every column is a label with a threshold of its own.
    """
    if truth.ndim == 2:
        return tuned_labels(metric, truth, probabilities, weights)
    shift, best = np.zeros(probabilities.shape[1]), -np.inf
    if len(np.unique(truth)) < 2:
        return shift
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities.astype(np.float64))
    counted = np.ones(len(truth)) if weights is None else weights
    codes = [1] if len(shift) == 2 else list(range(len(shift)))
    most = None if metric.name in SCORES or metric.costs is not None else FEW
    for _ in range(ROUNDS if len(codes) > 1 else 1):
        before = best
        for code in codes:
            swept = Swept.of(truth, logs + shift, counted, code, EDGE, most)
            gain, best = _highest(swept.gains, metric.sign * scores_of(metric, swept.confusions))
            shift[code] += gain
        if best <= before:
            break
    return np.asarray(shift - shift.mean())


def _highest(gains: Array, scores: Array) -> tuple[float, float]:
    """The gain with the highest score, of several the one nearest to none; with that score."""
    top = scores >= scores.max() - 1e-12
    nearest = np.flatnonzero(top)[np.argmin(np.abs(gains[top]))]
    return float(gains[nearest]), float(scores[nearest])
