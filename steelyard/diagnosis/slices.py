"""Slices: parts of the data, told by one condition or two, on which a model errs more than on the rest.

The idea: Chung et al. 2019, "Slice Finder" (arXiv 1807.06068): slices that a person can read, larger ones first, each
tested against the rest, with a bound on false alarms among them. Here the conditions are laid down before any error is
looked at, so that every test is one of a list of known length; two of them are joined where enough rows meet both.

Each slice is tested for more error than the rest: a share of mistakes by Fisher's exact test, a mean by Welch's. The
false discovery rate (Benjamini & Hochberg 1995) is held for single conditions and for pairs, half of the level each,
with intervals at the level that this leaves (Benjamini & Yekutieli 2005). Those that were found look worse than they
are, since the worst were chosen; what they are expected to show on fresh rows is the mean of the likelihood given that
they passed the test (Ghosh, Zou & Wright 2008, American Journal of Human Genetics 82, 1064-1074), here from zero up.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from steelyard.diagnosis.conditions import Condition, Kind
from steelyard.diagnosis.misses import Misses, mean_of
from steelyard.diagnosis.slice_records import Slice, Slices
from steelyard.diagnosis.slice_repeats import SMALLEST, without_repeats
from steelyard.diagnosis.sums import Sums, sums_of
from steelyard.problem import Score
from steelyard.weighing.compare import LEVEL, discoveries

Array = np.ndarray
MOST = 96  # conditions that are paired, those that most rows meet: some 4,000 pairs
SAME = 0.95  # of a condition's rows that meet the other one, too: the pair says nothing more


def find_slices(missed: Misses, conditions: Sequence[Condition], paired: bool = True) -> Slices:
    """The slices of rows (n,) whose misses are given, by conditions that were laid down without looking at these."""
    n = len(missed.loss)
    kept = [each for each in conditions if SMALLEST <= int(each.inside.sum()) <= n - SMALLEST]
    kept = _different(kept)
    error = missed.error
    if not kept:
        return Slices(missed.unit, error, n, (), 0, 0)
    inside = np.stack([each.inside for each in kept])
    sums = sums_of(inside, missed)
    alone: list[tuple[int, ...]] = [(i,) for i in range(len(kept))]
    several = _pairs(kept, sums.rows) if paired else []
    found = _judged(missed, kept, inside, sums.of(alone), alone, LEVEL / 2 if several else LEVEL)
    if several:
        found += _judged(missed, kept, inside, sums.of(several), several, LEVEL / 2, only_worse=True)
    found.sort(key=lambda pair: (pair[0].p_value, -pair[0].difference.value))
    slices = without_repeats(missed, found)
    slices.sort(key=lambda each: (not each.worse, bool(each.within), -(each.gain or 0.0), each.p_value))
    return Slices(missed.unit, error, n, tuple(slices), len(alone), len(several))


def _different(conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions without those that the very same rows meet as an earlier one."""
    first: dict[bytes, Condition] = {}
    for each in conditions:
        first.setdefault(np.packbits(each.inside).tobytes(), each)
    return list(first.values())


def _pairs(kept: Sequence[Condition], rows: Array) -> list[tuple[int, ...]]:
    """Which two conditions are joined: on two features, both with enough rows, and neither saying all of the other."""
    own = np.diag(rows)
    able = [i for i, each in enumerate(kept) if each.kind in {"column", "look"}]
    able = sorted(sorted(able, key=lambda i: -own[i])[:MOST])
    return [
        (i, j)
        for place, i in enumerate(able)
        for j in able[place + 1 :]
        if kept[i].feature != kept[j].feature and SMALLEST <= rows[i, j] <= SAME * min(own[i], own[j])
    ]


def _judged(
    missed: Misses,
    kept: Sequence[Condition],
    inside: Array,
    sums: Sums,
    chosen: list[tuple[int, ...]],
    level: float,
    only_worse: bool = False,
) -> list[tuple[Slice, Array]]:
    """The slices of one family of tests with their rows (n,) bool."""
    alone = sums.p_values(missed.counted)
    corrected = np.array(discoveries(list(alone))) * (LEVEL / level)
    called = corrected <= LEVEL
    left = level * max(1, int(called.sum())) / len(chosen)  # the level of every interval
    found = []
    for place, members in enumerate(chosen):
        if only_worse and not called[place]:
            continue
        rows = np.logical_and.reduce(inside[list(members)])
        first = kept[members[0]]
        labels = tuple(kept[i].label for i in members)
        found.append(
            (_slice(missed, rows, labels, first.kind, float(alone[place]), min(1.0, corrected[place]), left), rows)
        )
    return found


def _slice(
    missed: Misses, rows: Array, labels: tuple[str, ...], kind: Kind, p: float, corrected: float, level: float
) -> Slice:
    error = _mean(missed, rows, 0.05)
    mine, others = (_mean(missed, part, 2 * level) for part in (rows, ~rows))  # a test of one side has two in one
    value = mine.value - others.value
    low = value - float(np.hypot(mine.value - mine.low, others.high - others.value))
    high = value + float(np.hypot(mine.high - mine.value, others.value - others.low))
    worse = bool(corrected <= LEVEL)
    expected = _expected(value, p, level) if worse else None
    share = float(rows.mean() if missed.weights is None else missed.weights[rows].sum() / missed.weights.sum())
    return Slice(
        " and ".join(labels),
        labels,
        kind,
        int(rows.sum()),
        error,
        others.value,
        Score(value, low, high, int(rows.sum())),
        float(corrected),
        worse,
        expected,
        None if expected is None else expected * share,
    )


def _mean(missed: Misses, rows: Array, level: float) -> Score:
    part = missed.of(rows)
    return mean_of(part.loss, part.weights, level)


def _expected(value: float, p: float, level: float) -> float:
    """A difference that was chosen because its p-value is below `level`, without the luck of that choice."""
    z, cut = (float(stats.norm.isf(max(each, 1e-300))) for each in (p, level))
    true = np.linspace(0.0, max(z, cut) + 6, 2001)
    log = stats.norm.logpdf(z - true) - stats.norm.logsf(cut - true)
    likelihood = np.exp(log - log.max())
    return value * min(1.0, float((true * likelihood).sum() / likelihood.sum()) / z)
