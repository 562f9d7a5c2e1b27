"""How sure a score is: 95 % intervals over the examples it was measured on."""

import numpy as np
from scipy import stats

from steelyard.metrics import Metric
from steelyard.problem import Score
from steelyard.weighing.redrawn import draws, redrawn

RESAMPLES = 200


def score_of(
    metric: Metric,
    truth: np.ndarray,
    predictions: np.ndarray,
    weights: np.ndarray | None = None,
    fast: bool = False,
) -> Score:
    """The score of predictions with its interval over examples, which may have `weights` (n,).

    A share of hits gets Wilson's interval (Wilson 1927), with weights for the effective number of examples; a mean
    over examples gets the normal one, anything else the percentiles of a bootstrap over examples (Efron 1979), of rank
    p (draws + 1): any other rank leaves out more than it says where draws are few (Hyndman & Fan 1996, definition 6).
    `fast` computes all its resamples at once.
    """
    value, n = metric(truth, predictions, weights), len(truth)
    if np.isnan(value):
        return Score(value, value, value, n)
    if metric.name == "accuracy":
        return Score(value, *wilson(value, effective(weights, n)), n)
    if metric.per_example is not None:
        spread = 1.96 * float(metric.by_example(truth, predictions, weights).std() / np.sqrt(n))
        return Score(value, value - spread, value + spread, n)
    found = resampled(metric, truth, [predictions], weights=weights, fast=fast)[:, 0]
    low, high = np.percentile(found, [2.5, 97.5], method="weibull") if len(found) else (value, value)
    return Score(value, float(low), float(high), n)


def effective(weights: np.ndarray | None, n: int) -> float:
    """How many examples that count alike would say as much (Kish 1965, "Survey Sampling", section 11.7)."""
    return float(n) if weights is None else float(weights.sum() ** 2 / (weights**2).sum())


def resampled(
    metric: Metric,
    truth: np.ndarray,
    arms: list[np.ndarray],
    resamples: int = RESAMPLES,
    weights: np.ndarray | None = None,
    fast: bool = False,
) -> np.ndarray:
    """The metric of each arm on the same resamples of the examples: (resamples, arms); weights go with the examples.

    All resamples at once for several targets, which cost as many times as much one by one, and where it must be `fast`.
    """
    if truth.ndim == 2 or fast:
        counts = draws(len(truth), resamples, 0) * (1.0 if weights is None else weights[:, None])
        found = redrawn(metric, truth, arms, counts)
        return np.asarray(found[np.isfinite(found).all(axis=1)])
    stream = np.random.default_rng(0)
    every = np.ones(len(truth)) if weights is None else weights
    rows = (stream.integers(0, len(truth), len(truth)) for _ in range(resamples))
    fewest = 1 if metric.tasks[0] == "regression" else 2  # different targets among the examples that count
    usable = (r for r in rows if len(np.unique(truth[r][every[r] > 0])) >= fewest)
    return np.array(
        [[metric(truth[r], arm[r], None if weights is None else weights[r]) for arm in arms] for r in usable]
    )


def wilson(share: float, n: float, level: float = 0.05) -> tuple[float, float]:
    """The interval of confidence 1 - level of a share of `n` examples (Wilson 1927, JASA 22, 209-212).

    `n` may be an effective number, no whole one.
    """
    z = float(stats.norm.isf(level / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
