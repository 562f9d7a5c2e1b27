"""The mean of paired differences over two random samples at once, seeds and examples: its variance and freedom.

The model. D[i, x] is what one arm scores above the other with seed i on example x (or block x of examples):

    D[i, x] = effect + seed[i] + example[x] + rest[i, x]

Seeds and examples are both samples: another user draws other seeds, tomorrow brings other examples. The variance of
the mean is estimated from the mean squares of a two-way analysis of variance,

    variance = (MS_seed + max(MS_example - MS_rest, 0)) / (seeds · examples),

with the degrees of freedom of Hillis 2007. It is the analysis of Dorfman, Berbaum & Metz 1992 (Investigative Radiology
27, 723-731) with seeds for readers and examples for cases; degrees of freedom from Hillis 2007 (Statistics in Medicine
26, 596-619, equation 11). Assumed: seeds are independent; examples are independent; the four terms are uncorrelated.
Means of many examples are near normal, those of a few seeds need not be: `benchmarks/calibration.py` shows how well
the level is kept at 3 to 10 pairs.

A score that is no mean over examples is brought to this form by jackknife pseudo-values over blocks of examples
(Dorfman, Berbaum & Metz; Quenouille 1956, Biometrika 43).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.metrics import Metric

BLOCKS = 64  # of examples, where a score is no mean over them: so many recomputations a pair
Array = np.ndarray


@dataclass(frozen=True)
class Crossed:
    """A mean difference with its variance over seeds and examples; `freedom` are the degrees of freedom of that.

    `spread` is the standard deviation of the differences of single pairs, `examples` the part of the variance that
    more seeds do not lessen. With one pair nothing is known of seeds, and the variance is that over examples alone.
    """

    mean: float
    variance: float
    freedom: float
    pairs: int
    spread: float
    examples: float

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of confidence 1 - level."""
        half = float(stats.t.isf(level / 2, self.freedom)) * self.variance**0.5 if self.variance else 0.0
        return self.mean - half, self.mean + half

    @property
    def p_value(self) -> float:
        """How often a difference as large would be seen, either way, if there were none."""
        if not self.variance:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean) / self.variance**0.5, self.freedom))

    def better(self, sign: int) -> float:
        """The probability that one more pair turns out better: predictive, from Student's t with pairs - 1 freedom."""
        if not self.spread or self.pairs < 2:
            return 0.5 + 0.5 * float(np.sign(sign * self.mean))
        ahead = sign * self.mean / (self.spread * (1 + 1 / self.pairs) ** 0.5)
        return float(stats.t.cdf(ahead, self.pairs - 1))


def crossed(differences: Array) -> Crossed:
    """The analysis of differences (pairs, examples or blocks)."""
    pairs, many = differences.shape
    mean = float(differences.mean())
    seeds, examples = differences.mean(axis=1) - mean, differences.mean(axis=0) - mean
    by_example = pairs * float((examples**2).sum()) / max(1, many - 1)
    if pairs == 1:
        return Crossed(mean, by_example / many, max(1.0, many - 1.0), 1, 0.0, by_example / many)
    by_seed = many * float((seeds**2).sum()) / (pairs - 1)
    rest = differences - mean - seeds[:, None] - examples[None, :]
    by_rest = float((rest**2).sum()) / ((pairs - 1) * max(1, many - 1))
    shared = max(by_example - by_rest, 0.0)
    variance = (by_seed + shared) / (pairs * many)
    freedom = (by_seed + shared) ** 2 / (by_seed**2 / (pairs - 1)) if by_seed else float(pairs * many)
    spread = float(seeds.std(ddof=1))
    return Crossed(mean, variance, min(freedom, 1e6), pairs, spread, shared / (pairs * many))


def differences_of(
    metric: Metric,
    truth: list[Array],
    without: list[Array],
    with_it: list[Array],
    rows: list[Array] | None = None,
    weights: list[Array | None] | None = None,
) -> Array:
    """D (pairs, examples or blocks) of two arms from their predictions, one entry a pair.

    Where all pairs saw the same examples and the score is a mean over them, every example stands for itself; elsewhere
    blocks of examples do, by their row numbers `rows` (default: their places). `weights` say how much each example
    counts (None: all alike).
    """
    given = rows or [np.arange(len(t)) for t in truth]
    whole = metric.per_example is not None and all(np.array_equal(each, given[0]) for each in given[1:])
    count = max(2, min(BLOCKS, min(map(len, truth)) // 4))
    found = []
    for t, a, b, numbers, w in zip(truth, without, with_it, given, weights or [None] * len(truth), strict=True):
        blocks = None if whole else block_of(numbers, count)
        found.append(values(metric, t, b, blocks, w) - values(metric, t, a, blocks, w))
    return np.array(found)


def values(
    metric: Metric, truth: Array, predictions: Array, blocks: Array | None = None, weights: Array | None = None
) -> Array:
    """What each example or block of examples gives to a score: their mean is the score.

    `blocks` (n,) numbers the block of each example; None: every example stands for itself, which a score that is a
    mean over examples allows. Any other gets jackknife pseudo-values: B·s - (B - 1)·(s without the block), moved so
    that their mean is the score itself.
    """
    if metric.per_example is not None:
        each = metric.by_example(truth, predictions, weights)
        if blocks is None:
            return each
        count = int(blocks.max()) + 1
        return np.bincount(blocks, each, count) / len(each) * count
    assert blocks is not None, f"{metric.name} is no mean over examples: it needs blocks"
    count = int(blocks.max()) + 1
    whole = metric(truth, predictions, weights)
    rest = [blocks != b for b in range(count)]
    without = np.array([metric(truth[r], predictions[r], None if weights is None else weights[r]) for r in rest])
    pseudo = count * whole - (count - 1) * without
    return np.asarray(pseudo + (whole - pseudo.mean()))


def block_of(rows: Array, count: int) -> Array:
    """The block of each row number: always the same for the same row, about equally many rows a block."""
    mixed = (np.asarray(rows, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    return np.asarray(mixed % np.uint64(count), dtype=np.int64)
