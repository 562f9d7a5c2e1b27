"""The laws an error may follow as rows are added, and how well each of them agrees with what was measured.

A law is a shape: the logarithm of the error, relative to that at the most rows measured, over x, the logarithm of the
number of rows relative to theirs. Real curves stray from every law, the further the longer the way: that is a random
walk in x, which starts at the most rows measured. Small samples thereby count less, and forecasts widen with distance.

Sources: power laws with a floor, Hestness et al. 2017 (arXiv 1712.00409) and Rosenfeld et al. 2019 (arXiv 1909.12673);
other shapes, Viering & Loog 2021 (arXiv 2103.10948).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
STRAYS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)  # of the log error, for a way of one in x
STRAY = 0.03  # how far curves stray, typically: the scale of a half-Cauchy prior, which lets some stray far
STEEP = 0.5  # of an exponential prior: exponents of real curves are mostly below it
EXPONENTS = np.linspace(0.03, 1.5, 36)
FLOORS = np.append(np.linspace(0, 0.95, 20), (0.97, 0.98, 0.99, 0.995, 0.998))  # as a share of the last error


@dataclass(frozen=True)
class Family:
    """Laws of one kind: `parameters` (laws, p), and the `shape` (laws, points) that they have over x (points,)."""

    name: str
    parameters: Array
    shape: Callable[[Array, Array], Array]


def _power(parameters: Array, x: Array) -> Array:
    """floor + a·n^-b, or with a start: floor + a / (1 + (n/n1)^b), which is flat at first."""
    exponent, floor = parameters[:, 0, None], parameters[:, 1, None]
    start = parameters[:, 2, None] if parameters.shape[1] > 2 else 0.0
    falling = (1 + start) / (start + np.exp(exponent * x))
    return np.asarray(np.log(floor + (1 - floor) * falling))


def _exponential(parameters: Array, x: Array) -> Array:
    """floor + a·exp(-b·n): nothing is gained beyond a certain number of rows."""
    rate, floor = parameters[:, 0, None], parameters[:, 1, None]
    return np.asarray(np.log(floor + (1 - floor) * np.exp(rate * (1 - np.exp(x)))))


def _grid(*axes: Array | tuple[float, ...]) -> Array:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


FAMILIES = (
    Family("power law with a floor", _grid(EXPONENTS, FLOORS), _power),
    Family("power law with a start and a floor", _grid(EXPONENTS[1::2], (0, 0.3, 0.6, 0.9), (0.5, 1, 2, 4)), _power),
    Family("exponential", _grid(np.geomspace(0.1, 10, 16), FLOORS), _exponential),
)


@dataclass(frozen=True)
class Agreement:
    """The laws that agree with what was measured, each with how far curves may stray from it, and their weights.

    `level` and `spread` (strays, laws) are of the log error at x = 0; `weights` (strays, laws) sum to one.
    """

    level: Array
    spread: Array
    weights: Array

    def of_family(self) -> dict[str, float]:
        """The weight of every family of laws."""
        ends = np.cumsum([len(family.parameters) for family in FAMILIES])[:-1]
        parts = np.split(self.weights.sum(axis=0), ends)
        return {family.name: float(part.sum()) for family, part in zip(FAMILIES, parts, strict=True)}


def agreement(x: Array, logs: Array, variances: Array) -> Agreement:
    """How well all laws agree with log errors (k,) at x (k,), at most 0, that have those variances (k,).

    The level of a law is estimated by generalised least squares under a flat prior, and integrated out of its weight;
    families have equal prior weights.
    """
    shapes = np.concatenate([family.shape(family.parameters, x) for family in FAMILIES])
    prior = np.concatenate([_prior(family) for family in FAMILIES])
    off = logs - shapes
    near, far = np.minimum(-x[:, None], -x[None, :]), np.maximum(-x[:, None], -x[None, :])
    away = near + near**2 * (3 * far - near) / 6  # the covariance of a random walk, and of the integral of one
    levels, spreads, scores = [], [], []
    for stray in STRAYS:
        inverse = np.linalg.inv(np.diag(variances) + stray**2 * away)
        exact = inverse.sum()
        level = off @ inverse.sum(axis=1) / exact
        rest = off - level[:, None]
        misfit = np.einsum("li,ij,lj->l", rest, inverse, rest)
        scores.append(
            prior + 0.5 * (np.linalg.slogdet(inverse)[1] - np.log(exact) - misfit) - np.log1p((stray / STRAY) ** 2)
        )
        levels.append(level)
        spreads.append(np.full(len(level), exact**-0.5))
    weights = np.exp(np.array(scores) - np.max(scores))
    return Agreement(np.array(levels), np.array(spreads), weights / weights.sum())


def _prior(family: Family) -> Array:
    """The logarithm of the prior weight of each law of a family; those of a family sum to one."""
    steepness = family.parameters[:, 0] / STEEP if family.shape is _power else np.zeros(len(family.parameters))
    return np.asarray(-steepness - np.log(np.exp(-steepness).sum()))


def draws(found: Agreement, x: Array, number: int, stream: np.random.Generator) -> tuple[Array, Array]:
    """Log errors (number,) at x = 0 and (number, points) at x (points,), at least 0 and rising, drawn from the laws."""
    chosen = stream.choice(found.weights.size, number, p=found.weights.reshape(-1))
    stray, law = np.unravel_index(chosen, found.weights.shape)
    level = found.level[stray, law] + found.spread[stray, law] * stream.standard_normal(number)
    shapes = np.concatenate([family.shape(family.parameters, x) for family in FAMILIES])
    away = _walk(x, number, stream) * np.array(STRAYS)[stray][:, None]
    return level, level[:, None] + shapes[law] + away


def _walk(x: Array, number: int, stream: np.random.Generator) -> Array:
    """Random walks (number, points) from 0, each with the integral of another one: the slope wanders, too."""
    steps = np.diff(x, prepend=0.0)
    walked, turned, between = stream.standard_normal((3, number, len(x)))
    slopes = np.cumsum(np.sqrt(steps) * turned, axis=1) - np.sqrt(steps) * turned  # at the beginning of each step
    integral = np.cumsum(slopes * steps + steps**1.5 * (turned / 2 + between / np.sqrt(12)), axis=1)
    return np.asarray(np.cumsum(np.sqrt(steps) * walked, axis=1) + integral)
