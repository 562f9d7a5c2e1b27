"""Looking more than once: how much of the allowed error each look at a growing comparison may spend.

A comparison that is looked at after every few pairs, and ends when it first says something, errs more often than it
promises. Alpha spending (Lan & DeMets 1983, Biometrika 70, 659-663) keeps the promise: a function says how much of the
level may be used up by the time a share of all pairs is there, whatever the looks were. Here it is a power of that
share (Kim & DeMets 1987, Biometrika 74, 149-154). The level of each look comes from the recursion of Armitage,
McPherson & Rowe 1969 (JRSS A 132, 235-244) over the score process, whose increments are taken as independent normal
ones; for Student's t the levels are used with its own quantiles (Jennison & Turnbull 2000, section 3.8). What pairs
share (the examples) makes looks more alike than that, so that less than the level is spent.

Intervals at these levels are repeated confidence intervals (Jennison & Turnbull 1989, JRSS B 51, 305-361): all of a
comparison's intervals, at every look, cover the effect together with the promised confidence.
"""

from functools import cache

import numpy as np
from scipy import stats

LOOKS = (3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 29)  # pairs; 29 show P(better) ≥ 0.75 with power 0.95 (2103.03098)
POWER = 1.5  # of the spending function: 1 spends evenly, 3 keeps most of it for the last looks
GRID = 201
_WHOLES = np.array([1e-7, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.5, 0.9])


@cache
def levels(looks: tuple[int, ...], level: float, power: float = POWER) -> tuple[float, ...]:
    """The two-sided nominal level of each look, after so many pairs; the last number is that of all pairs."""
    times = np.asarray(looks, dtype=float) / looks[-1]
    spent = level * times**power
    bound = float(stats.norm.isf(spent[0] / 2))
    found = [float(spent[0])]
    grid = np.linspace(-bound, bound, GRID) * times[0] ** 0.5
    density = stats.norm.pdf(grid, scale=times[0] ** 0.5)
    for before, now, step in zip(times, times[1:], np.diff(spent), strict=False):
        spread = (now - before) ** 0.5
        weights = density * (grid[1] - grid[0])
        weights[[0, -1]] /= 2  # trapezoids
        edge = _edge(grid, weights, spread, float(step), now**0.5)
        found.append(float(2 * stats.norm.sf(edge / now**0.5)))
        fresh = np.linspace(-edge, edge, GRID)
        density = stats.norm.pdf(fresh[:, None], grid[None, :], spread) @ weights
        grid = fresh
    return tuple(found)


def _edge(grid: np.ndarray, weights: np.ndarray, spread: float, wanted: float, scale: float) -> float:
    """Where the score process is left with the wanted probability at this look, by bisection."""
    low, high = 0.0, 12.0 * scale
    for _ in range(60):
        edge = (low + high) / 2
        left = float(weights @ (stats.norm.sf((edge - grid) / spread) + stats.norm.cdf((-edge - grid) / spread)))
        low, high = (edge, high) if left > wanted else (low, edge)
    return (low + high) / 2


def level_at(pairs: int, looks: tuple[int, ...], level: float) -> float:
    """The nominal level of the look after `pairs` pairs; between two planned looks that of the earlier one."""
    passed = [look for look in looks if look <= pairs]
    return levels(looks, level)[len(passed) - 1] if passed else levels(looks, level)[0]


def repeated_p(pairs: int, p: float, looks: tuple[int, ...]) -> float:
    """The smallest level at which a comparison with this p-value at this look would be decided.

    The repeated p-value of Jennison & Turnbull 1989: it may be read at any look.
    """
    passed = max(1, sum(look <= pairs for look in looks)) - 1
    nominal = np.array([levels(looks, float(whole))[passed] for whole in _WHOLES])
    if p >= nominal[-1]:
        return 1.0
    if p <= nominal[0]:
        return float(p / nominal[0] * _WHOLES[0])
    return float(10 ** np.interp(np.log10(p), np.log10(nominal), np.log10(_WHOLES)))
