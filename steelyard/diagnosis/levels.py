"""How large an error is on a set of rows, how sure that is, and how two sets that share rows go together."""

from dataclasses import dataclass

import numpy as np

from steelyard.metrics import Metric
from steelyard.problem import Score
from steelyard.weighing.crossed import BLOCKS, block_of, values
from steelyard.weighing.interval import score_of

Array = np.ndarray


@dataclass(frozen=True)
class Sample:
    """What was predicted on some rows: truth (n,) or (n, targets), predictions (n, classes), (n, targets) or (n,).

    `weights` (n,) say how much each row counts (None: all alike). `rows` (n,) number the rows, so that sets which share
    some are compared on them; a row may stand there several times, as it does in the train parts of several folds.
    """

    truth: Array
    predictions: Array
    weights: Array | None = None
    rows: Array | None = None


@dataclass(frozen=True)
class Measured:
    """An error with its interval, and what each row (or block of rows) gives to it.

    `each` (m,) has the mean of the error; `keys` (m,) number its rows or blocks, sorted; None where rows are nameless.
    """

    error: Score
    each: Array
    keys: Array | None
    blocked: bool


def measured(measure: Metric, sample: Sample) -> Measured:
    """The error of a sample; a row that stands there several times counts once, with the mean of what it gives."""
    score = score_of(measure, sample.truth, sample.predictions, sample.weights)
    rows, sign = sample.rows, -measure.sign
    if measure.per_example is None or not _plain(measure, sample):
        numbers = np.arange(len(sample.truth)) if rows is None else rows
        _, blocks = np.unique(block_of(numbers, min(BLOCKS, max(2, len(numbers) // 4))), return_inverse=True)
        each = sign * values(measure, sample.truth, sample.predictions, blocks, sample.weights)
        return Measured(as_error(measure, score), each, None if rows is None else np.arange(len(each)), True)
    each = sign * measure.by_example(sample.truth, sample.predictions, sample.weights)
    if rows is None:
        return Measured(as_error(measure, score), each, None, False)
    keys, place, times = np.unique(rows, return_inverse=True, return_counts=True)
    if len(keys) < len(rows):
        score = _of_fewer(score, len(keys))
        each = np.bincount(place, each) / times * (times / times.mean())  # their plain mean is still the score
    else:
        each = each[np.argsort(rows, kind="stable")]
    return Measured(as_error(measure, score), each, keys, False)


def _plain(measure: Metric, sample: Sample) -> bool:
    """Whether every row's part of the score can be told."""
    each = measure.per_example(sample.truth[:1], sample.predictions[:1]) if measure.per_example else None
    return each is not None and np.ndim(each) == 1


def _of_fewer(score: Score, rows: int) -> Score:
    """A score whose rows were counted several times: its interval is as wide as that of the rows there are."""
    wider = float(np.sqrt(score.examples / rows))
    low, high = (score.value + wider * (end - score.value) for end in score.interval)
    return Score(score.value, low, high, rows)


def as_error(measure: Metric, score: Score) -> Score:
    """A score as an error: smaller is better."""
    if not measure.greater_is_better:
        return score
    return Score(1 - score.value, 1 - score.high, 1 - score.low, score.examples)


def correlation(one: Measured, other: Measured) -> float:
    """How the errors of two sets go together, from the rows they share; 0 where they share none."""
    if one.keys is None or other.keys is None or one.blocked != other.blocked:
        return 0.0
    common, here, there = np.intersect1d(one.keys, other.keys, assume_unique=True, return_indices=True)
    if len(common) < 8:
        return 0.0
    a, b = one.each - one.each.mean(), other.each - other.each.mean()
    spread = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float(np.clip((a[here] * b[there]).sum() / spread, -1.0, 1.0)) if spread else 0.0
