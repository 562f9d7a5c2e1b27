"""Is one arm better than another, or are some of many? Verdicts from paired differences.

Effects are tested at `LEVEL`, over every look at a comparison (`sequential.py`). Where many arms are weighed together
at most that share of those called helping or hurting is expected to be wrong: the false discovery rate (Benjamini &
Hochberg 1995, JRSS B 57, 289-300), with intervals at the level that it leaves (Benjamini & Yekutieli 2005, JASA 100,
71-81), so that an interval leaves out zero just when its arm is called helping or hurting.

"No difference that matters" is two one-sided tests against ±matters, each at `LEVEL` (Schuirmann 1987, J. Pharmacokin.
Biopharm. 15, 657-680): the interval that tests at twice the level lies inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from steelyard.metrics import Metric
from steelyard.records import Verdict
from steelyard.weighing.comparison import Comparison
from steelyard.weighing.crossed import Crossed, crossed, differences_of
from steelyard.weighing.interval import resampled
from steelyard.weighing.sequential import LOOKS, level_at, repeated_p

LEVEL = 0.05
MATTERS = 0.5  # of the standard error of a dev score: what is smaller cannot be told apart on so many examples
Array = np.ndarray


@dataclass(frozen=True)
class Judged:
    """What one comparison says: its interval, its p-value over all looks and arms, its verdict."""

    low: float
    high: float
    p_value: float
    verdict: Verdict


def judge(found: Crossed, sign: int, matters: float = 0.0, looks: tuple[int, ...] = ()) -> Judged:
    """The verdict on one comparison; without `looks` it is looked at once."""
    return judge_all([found], sign, matters, looks)[0]


def judge_all(found: Sequence[Crossed], sign: int, matters: float = 0.0, looks: tuple[int, ...] = ()) -> list[Judged]:
    """The verdicts on comparisons that are made together; single pairs among several looks say nothing yet."""
    alone = [repeated_p(each.pairs, each.p_value, looks) if looks else each.p_value for each in found]
    corrected = discoveries(alone)
    level = LEVEL * max(1, sum(p <= LEVEL for p in corrected)) / max(1, len(found))
    judged = []
    for each, p in zip(found, corrected, strict=True):
        low, high = each.interval(level_at(each.pairs, looks, level) if looks else level)
        inner = each.interval(level_at(each.pairs, looks, 2 * LEVEL) if looks else 2 * LEVEL)
        open_ = bool(looks) and each.pairs < looks[0]
        judged.append(Judged(low, high, p, "undecided" if open_ else verdict(sign, low, high, inner, matters)))
    return judged


def discoveries(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number: the smallest false discovery rate at which each would be called."""
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given)[::-1]
    ranks = len(given) - np.arange(len(given))
    corrected = np.minimum.accumulate(given[order] * len(given) / ranks)
    found = np.empty_like(given)
    found[order] = np.minimum(corrected, 1.0)
    return [float(p) for p in found]


def verdict(sign: int, low: float, high: float, inner: tuple[float, float], matters: float) -> Verdict:
    """What an interval says of an effect; `inner` is the one for "no difference that matters"."""
    if -matters <= inner[0] and inner[1] <= matters:
        return "no difference that matters"
    if low > 0 or high < 0:
        return "helps" if sign * low > 0 else "hurts"
    return "undecided"


def compare(
    metric: Metric,
    truth: list[Array],
    without: list[Array],
    with_it: list[Array],
    matters: float = 0.0,
    looks: tuple[int, ...] = (),
    rows: list[Array] | None = None,
    weights: list[Array | None] | None = None,
) -> Comparison:
    """Compare two arms from their predictions on the same examples, one entry per paired seed.

    `matters` is the smallest effect worth having; `looks` are the numbers of pairs at which the comparison is or was
    looked at (none: this once); `rows` number the examples where pairs have other ones, `weights` say how much each
    counts (None: all alike).
    """
    found = crossed(differences_of(metric, truth, without, with_it, rows, weights))
    each = zip(truth, without, with_it, weights or [None] * len(truth), strict=True)
    pairs = tuple((metric(t, a, w), metric(t, b, w)) for t, a, b, w in each)
    return compared("", "", metric, pairs, found, judge(found, metric.sign, matters, looks), matters)


def compared(
    name: str,
    against: str,
    metric: Metric,
    pairs: tuple[tuple[float, float], ...],
    found: Crossed,
    judged: Judged,
    matters: float,
) -> Comparison:
    """The record of a comparison, as far as scores go."""
    return replace(
        Comparison(name, against, metric.name, found.mean, judged.low, judged.high, judged.verdict),
        pairs=pairs,
        p_value=judged.p_value,
        matters=matters,
        probability=found.better(metric.sign),
    )


def probability_better(
    metric: Metric, truth: Array, without: Array, with_it: Array, weights: Array | None = None
) -> float:
    """The share of resamples of the examples in which the second arm scores strictly better."""
    draws = resampled(metric, truth, [without, with_it], resamples=300, weights=weights)
    return float((metric.sign * (draws[:, 1] - draws[:, 0]) > 0).mean())


__all__ = ["LEVEL", "LOOKS", "MATTERS", "Judged", "compare", "compared", "judge", "judge_all", "probability_better"]
