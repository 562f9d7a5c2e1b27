"""Is one arm better than another? A paired comparison over seeds and examples."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.metrics import Metric
from steelyard.records import Verdict
from steelyard.weigh.interval import resampled

LEVEL = 0.05
LOOKS = 3  # a comparison is looked at after three, eight and sixteen pairs: each look spends a third of LEVEL


@dataclass(frozen=True)
class Comparison:
    """metric(with) - metric(without), in the metric's own unit, with its interval and the scores of every pair."""

    effect: float
    low: float
    high: float
    verdict: Verdict
    pairs: tuple[tuple[float, float], ...]


def compare(
    metric: Metric,
    truth: list[np.ndarray],
    without: list[np.ndarray],
    with_it: list[np.ndarray],
    matters: float = 0.0,
    looks: int = LOOKS,
) -> Comparison:
    """Compare two arms from their predictions on the same examples, one entry per paired seed.

    Two variances count: seeds (the spread of the paired differences) and the sample of examples (a bootstrap over
    examples of the mean difference). They are added, and the degrees of freedom follow Satterthwaite (1946); with one
    pair, or pairs that do not differ, only the examples count. Looking `looks` times is paid for by Bonferroni.
    `matters` is the smallest effect worth having: an interval inside ±matters is "no difference that matters".
    """
    pairs = tuple((metric(t, a), metric(t, b)) for t, a, b in zip(truth, without, with_it, strict=True))
    differences = np.array([b - a for a, b in pairs])
    effect, count = float(differences.mean()), len(pairs)
    by_seed = float(differences.var(ddof=1)) / count if count > 1 else 0.0
    by_example = _example_variance(metric, truth, without, with_it)
    variance = by_seed + by_example
    if variance == 0:
        low = high = effect
    else:
        freedom = variance**2 / (by_seed**2 / max(1, count - 1) + by_example**2 / max(1, len(truth[0]) - 1))
        half = float(stats.t.ppf(1 - LEVEL / looks / 2, freedom)) * variance**0.5
        low, high = effect - half, effect + half
    return Comparison(effect, low, high, _verdict(metric.sign, low, high, matters), pairs)


def _example_variance(
    metric: Metric, truth: list[np.ndarray], without: list[np.ndarray], with_it: list[np.ndarray]
) -> float:
    """The variance of the mean difference when the examples are drawn anew."""
    if metric.per_example is not None and all(len(t) == len(truth[0]) for t in truth):
        each = [
            metric.per_example(t, b) - metric.per_example(t, a) for t, a, b in zip(truth, without, with_it, strict=True)
        ]
        return float(np.mean(each, axis=0).var(ddof=1)) / len(truth[0])
    draws = [resampled(metric, t, [a, b]) for t, a, b in zip(truth, without, with_it, strict=True)]
    size = min(len(d) for d in draws)
    return float(np.mean([d[:size, 1] - d[:size, 0] for d in draws], axis=0).var(ddof=1))


def _verdict(sign: int, low: float, high: float, matters: float) -> Verdict:
    best, worst = (high, low) if sign > 0 else (-low, -high)
    if worst > 0:
        return "helps"
    if best < 0:
        return "hurts"
    if -matters <= worst and best <= matters:
        return "no difference that matters"
    return "undecided"


def probability_better(metric: Metric, truth: np.ndarray, without: np.ndarray, with_it: np.ndarray) -> float:
    """The share of resamples of the examples in which the second arm scores strictly better."""
    draws = resampled(metric, truth, [without, with_it], resamples=300)
    return float((metric.sign * (draws[:, 1] - draws[:, 0]) > 0).mean())
