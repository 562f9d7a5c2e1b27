"""Single annotators: the error of any of them, of the best one, and who differs from the others on the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.diagnosis.votes import mean_error
from steelyard.problem import Score

Array = np.ndarray
Mean = Callable[[Array], Score]  # of errors (n,), with its interval
SPLITS, LEAST = 20, 10  # halvings of the rows to choose the best by; labels an annotator needs in each half
FALSE = 0.05  # of those said to deviate, at the most


@dataclass(frozen=True)
class Annotator:
    """One annotator: how many `labels`, their `error`, that of the `others` on the same rows, and the difference.

    `low` and `high` are the 95 % interval of the `difference` over rows; `deviates`: it is not chance.
    """

    name: str
    labels: int
    error: Score
    others: float
    difference: float
    low: float
    high: float
    deviates: bool


def anyone(errors: Array, top: float = 1.0) -> Score:
    """The error of a random annotator from the errors (rows, annotators) of each label, nan where there is none.

    Every row counts alike, and no error is above `top`. The interval is over rows and annotators, both as random
    samples: variances of the sums over rows and over annotators are added and that of single labels is taken off
    (Cameron, Gelbach and Miller 2011, "Robust inference with multiway clustering", section 2.1), with Student's t for
    the fewer of both.
    """
    known = ~np.isnan(errors)
    weights = known / known.sum(axis=1, keepdims=True) / len(errors)
    value = float(np.nansum(weights * errors))
    off = np.where(known, weights * (errors - value), 0.0)
    rows, people = (int((known.sum(axis=axis) > 0).sum()) for axis in (1, 0))
    over_rows = (off.sum(axis=1) ** 2).sum() * rows / max(rows - 1, 1)
    over_people = (off.sum(axis=0) ** 2).sum() * people / max(people - 1, 1)
    variance = max(over_rows + over_people - (off**2).sum(), over_rows, over_people)
    reach = float(stats.t.ppf(0.975, max(min(rows, people) - 1, 1)) * np.sqrt(variance))
    return Score(value, max(0.0, value - reach), min(top, value + reach), rows)


def best_annotator(errors: Array, seed: int = 0, mean: Mean = mean_error) -> tuple[int, Score] | None:
    """Who errs least, and how much on rows that they were not chosen by; None where too few label enough.

    The rows are halved again and again: the best of one half is measured on the other one. The place is that of who
    was chosen most often; the interval is over rows.
    """
    known, random = ~np.isnan(errors), np.random.default_rng(seed)
    total, times = np.zeros(len(errors)), np.zeros(len(errors))
    chosen: list[int] = []
    for _ in range(SPLITS):
        half = random.permutation(len(errors)) % 2 == 0
        enough = (known[half].sum(axis=0) >= LEAST) & (known[~half].sum(axis=0) >= LEAST)
        if enough.sum() < 2:
            return None
        for rows in (half, ~half):
            of = np.where(enough, np.nansum(errors[rows], axis=0) / np.maximum(known[rows].sum(axis=0), 1), np.inf)
            first = int(np.lexsort((-known[rows].sum(axis=0), of))[0])
            measured = np.flatnonzero(~rows & known[:, first])
            total[measured] += errors[measured, first]
            times[measured] += 1
            chosen.append(first)
    used = times > 0
    value = float(total.sum() / times.sum())
    score = mean(total[used] / times[used])
    shift = value - score.value
    best = Score(value, max(0.0, score.low + shift), score.high + shift, score.examples)
    return int(np.bincount(chosen).argmax()), best


def one_by_one(errors: Array, names: Sequence[str], mean: Mean = mean_error) -> tuple[Annotator, ...]:
    """Every annotator beside the others on the same rows, those that err least first.

    Who deviates is tested by the paired differences over rows; of those named at most 5 % are expected to be no
    different (false discovery rate, Benjamini and Hochberg 1995).
    """
    known = ~np.isnan(errors)
    sums, many = np.nansum(errors, axis=1), known.sum(axis=1)
    found, chances = [], []
    for place, name in enumerate(names):
        mine = known[:, place]
        if not mine.any():
            continue
        paired = mine & (many > 1)
        own, others = errors[paired, place], (sums[paired] - errors[paired, place]) / (many[paired] - 1)
        gap, n = own - others, int(paired.sum())
        gained = float(gap.mean()) if n else 0.0
        spread = float(gap.std(ddof=1) / np.sqrt(n)) if n > 1 else 1.0  # one row says nothing: all is possible
        reach = spread * float(stats.t.ppf(0.975, max(n - 1, 1)))
        sure = n >= LEAST and spread > 0
        chances.append(float(2 * stats.t.sf(abs(gained) / spread, n - 1)) if sure else 1.0)
        beside = float(others.mean()) if n else float("nan")
        score, ends = mean(errors[mine, place]), (gained, gained - reach, gained + reach)
        found.append((name, int(mine.sum()), score, beside, *ends))
    flags = stats.false_discovery_control(chances) < FALSE if chances else np.array([])
    people = [Annotator(*each, bool(flag)) for each, flag in zip(found, flags, strict=True)]
    return tuple(sorted(people, key=lambda each: each.error.value))
