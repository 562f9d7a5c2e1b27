"""What another pair is worth: the chance that a verdict is still to come, and the gain an arm may bring."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.weighing.compare import LEVEL
from steelyard.weighing.crossed import Crossed
from steelyard.weighing.sequential import levels

FUTILE = 0.1  # below this chance of a verdict an arm gets no more pairs


@dataclass(frozen=True)
class Expected:
    """What is expected of an arm before it is tried: a normal distribution of its gain (better is positive)."""

    gain: float
    spread: float


def outlook(found: Crossed, looks: tuple[int, ...], matters: float, arms: int = 1) -> float:
    """The chance that the last look says anything, if things go on as they went.

    Conditional power under the current trend (Lan, Simon & Halperin 1982, Sequential Analysis 1, 207-219): the mean
    moves on by chance; of the variance the part that more pairs can lessen shrinks, that of the examples stays.
    """
    last = looks[-1]
    if found.pairs >= last:
        return 0.0
    seeds = found.variance - found.examples
    final = seeds * found.pairs / last + found.examples
    drift = max(found.variance - final, 1e-300) ** 0.5
    edge = float(stats.norm.isf(levels(looks, LEVEL / arms)[-1] / 2)) * final**0.5
    called = stats.norm.sf((edge - found.mean) / drift) + stats.norm.cdf((-edge - found.mean) / drift)
    room = matters - float(stats.norm.isf(levels(looks, 2 * LEVEL)[-1] / 2)) * final**0.5
    inside = stats.norm.cdf((room - found.mean) / drift) - stats.norm.cdf((-room - found.mean) / drift)
    return float(called + (inside if room > 0 else 0.0))


def why_futile(found: Crossed, examples: int) -> str:
    """Why more pairs would not decide a comparison."""
    if found.examples > found.variance / 2:
        return f"more seeds would not decide it: {examples} dev examples are too few"
    return "not likely to be decided with the pairs allowed"


def gain(expected: Expected, found: Crossed | None, sign: int) -> float:
    """The expected gain of having the choice of an arm: E max(gain, 0), of what was expected and what was measured."""
    mean, variance = expected.gain, expected.spread**2
    if found is not None and found.variance > 0:
        weight = variance / (variance + found.variance)
        mean, variance = mean + weight * (sign * found.mean - mean), variance * (1 - weight)
    if variance <= 0:
        return max(mean, 0.0)
    z = mean / variance**0.5
    return float(mean * stats.norm.cdf(z) + variance**0.5 * stats.norm.pdf(z))


def stronger_half(worth: list[float]) -> list[int]:
    """The places of the more valuable half, at least one, in their order of value."""
    order = [int(i) for i in np.argsort(worth)[::-1]]
    return order[: max(1, (len(order) + 1) // 2)]
