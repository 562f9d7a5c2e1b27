"""The points of a learning curve: the errors of what was tried on dev, and the noise that each size has for itself."""

from collections.abc import Sequence

import numpy as np

from steelyard.diagnosis.growth import LearningCurve
from steelyard.diagnosis.learning_curve import fit_curve
from steelyard.metrics import Metric
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import MATTERS
from steelyard.weighing.interval import resampled, score_of
from steelyard.workflow.bench import Bench


def curve_of(
    bench: Bench,
    measure: Metric,
    tried: Sequence[Tried],
    rows: Sequence[int],
    matters: float,
    of: str,
    code: int | None = None,
) -> LearningCurve:
    """The curve of an error over rows, with the noise of dev; with `code` on the dev rows of that class alone."""
    most = max(len(each.dev) for each in tried)
    errors, first = np.full((len(tried), most), np.nan), []
    for i, each in enumerate(tried):
        for k in range(len(each.dev)):
            truth, said, weights = _judged(bench, each, k, code)
            score = measure(truth, said, weights)
            errors[i, k] = 1 - score if measure.greater_is_better else score
            if k == 0:
                first.append(said)
    truth, _, weights = _judged(bench, tried[-1], 0, code)
    redrawn = resampled(measure, truth, first, weights=weights, fast=True)
    return fit_curve(rows, errors, noise=_own_noise(redrawn), matters=matters, of=of)


def _own_noise(redrawn: np.ndarray) -> np.ndarray:
    """The standard error (sizes,) that each size has for itself, from scores (resamples, sizes) on the same examples.

    What a resample does to all sizes alike moves the whole curve, not its shape: it is taken out.
    """
    if not len(redrawn):
        return np.zeros(redrawn.shape[1])
    sizes = redrawn.shape[1]
    own = redrawn - redrawn.mean(axis=1, keepdims=True)
    return np.asarray(own.std(axis=0) * np.sqrt(sizes / (sizes - 1)))


def least_of(bench: Bench, measure: Metric, last: Tried, code: int | None = None) -> float:
    """Half the standard error of the dev score, of all rows or those of a class: less cannot be told apart there."""
    score = score_of(measure, *_judged(bench, last, 0, code))
    return MATTERS * (score.high - score.low) / (2 * 1.96)


def _judged(bench: Bench, tried: Tried, k: int, code: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Truth, predictions and weights of the dev rows of the k-th seed, of all classes or one."""
    rows, dev = tried.rows[k], tried.dev[k]
    kept = np.ones(len(rows), bool) if code is None else bench.truth[rows] == code
    return bench.truth[rows[kept]], dev[kept], bench.pool.weights_of(rows[kept])
