"""Differences between levels of error: their intervals, and which of them is the largest.

An interval of a difference is made of those of its two ends, which need not be symmetric (the method of variance
estimates recovery: Newcombe 1998, Statistics in Medicine 17, 873-890, for shares; Zou & Donner 2008, Statistics in
Medicine 27, 1693-1702, in general and with a correlation). The probability that a difference is the largest one is its
share in draws of all levels at once, each from two half normal distributions with the ends of its interval.
"""

from collections.abc import Sequence

import numpy as np

from steelyard.problem import Score
from steelyard.records import SURE, Gap, LevelName, Term

DRAWS = 20_000
Z = 1.959964
Array = np.ndarray
Step = tuple[Term, LevelName | None, LevelName]  # the term, from where (None: from zero) to where


def gaps(levels: dict[LevelName, Score], steps: Sequence[Step], together: Array) -> tuple[Gap, ...]:
    """The differences that are asked for, each with its interval and the probability that it is the largest.

    `together` (levels, levels) holds the correlations of the levels in their order.
    """
    names = list(levels)
    drawn = dict(zip(names, _drawn(list(levels.values()), together), strict=True))
    made = np.stack([drawn[end] - (drawn[start] if start else 0.0) for _, start, end in steps])
    largest = (made == made.max(axis=0)) & (made > 0)
    found = []
    for (term, start, end), share in zip(steps, largest.mean(axis=1), strict=True):
        over = levels[start] if start else Score(0.0, 0.0, 0.0, 0)
        rho = float(together[names.index(start), names.index(end)]) if start else 0.0
        low, high = difference(levels[end], over, rho)
        found.append(Gap(term, start or "zero", end, levels[end].value - over.value, low, high, float(share)))
    return tuple(found)


def dominant(found: Sequence[Gap]) -> tuple[Term | None, float]:
    """The term that is the largest with a probability of `SURE` or more (None: cannot tell), and the probability."""
    best = max(found, key=lambda gap: gap.probability)
    return (best.term if best.probability >= SURE else None), best.probability


def difference(one: Score, other: Score, rho: float = 0.0) -> tuple[float, float]:
    """The 95 % interval of `one` - `other`, whose estimates have the correlation rho."""
    value = one.value - other.value
    down, up = one.value - one.low, one.high - one.value
    below, above = other.value - other.low, other.high - other.value
    low = value - np.sqrt(max(0.0, down**2 - 2 * rho * down * above + above**2))
    high = value + np.sqrt(max(0.0, up**2 - 2 * rho * up * below + below**2))
    return float(low), float(high)


def _drawn(levels: list[Score], together: Array) -> Array:
    """Draws of all levels (levels, draws)."""
    eigenvalues, vectors = np.linalg.eigh(together)  # pairs of correlations need not fit one another
    root = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    normal = root @ np.random.default_rng(0).standard_normal((len(levels), DRAWS))
    value, low, high = (np.array([getattr(s, part) for s in levels])[:, None] for part in ("value", "low", "high"))
    return np.asarray(value + normal * np.where(normal < 0, value - low, high - value) / Z)
