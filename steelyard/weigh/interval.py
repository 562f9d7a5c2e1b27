"""How sure a score is: 95 % intervals over the examples it was measured on."""

import numpy as np
from scipy import stats

from steelyard.metrics import Metric
from steelyard.problem import Score

RESAMPLES = 200


def score_of(metric: Metric, truth: np.ndarray, predictions: np.ndarray) -> Score:
    """The score of predictions with its interval over examples.

    A share of hits gets Wilson's interval (Wilson 1927), a mean over examples the normal one, anything else the
    percentiles of a bootstrap over examples (Efron 1979).
    """
    value, n = metric(truth, predictions), len(truth)
    if metric.name == "accuracy":
        return Score(value, *_wilson(value, n), n)
    if metric.per_example is not None:
        spread = 1.96 * float(metric.per_example(truth, predictions).std()) / np.sqrt(n)
        return Score(value, value - spread, value + spread, n)
    low, high = np.percentile(resampled(metric, truth, [predictions])[:, 0], [2.5, 97.5])
    return Score(value, float(low), float(high), n)


def resampled(metric: Metric, truth: np.ndarray, arms: list[np.ndarray], resamples: int = RESAMPLES) -> np.ndarray:
    """The metric of each arm on the same resamples of the examples: (resamples, arms)."""
    stream = np.random.default_rng(0)
    rows = (stream.integers(0, len(truth), len(truth)) for _ in range(resamples))
    usable = (r for r in rows if metric.tasks[0] == "regression" or len(np.unique(truth[r])) > 1)
    return np.array([[metric(truth[r], arm[r]) for arm in arms] for r in usable])


def _wilson(share: float, n: int) -> tuple[float, float]:
    z = float(stats.norm.ppf(0.975))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
