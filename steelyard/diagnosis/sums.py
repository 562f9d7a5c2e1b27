"""Sums of the misses over the rows that meet one condition or two, all at once, and what they say against the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.diagnosis.misses import Misses

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Sums:
    """Of every slice (k,): `rows`, and sums of w, w·l, w², w²·l and w²·l² of its weights and losses (5, k).

    `whole` holds the same six sums over all rows.
    """

    rows: Array
    sums: Array
    whole: Array

    def p_values(self, counted: bool) -> Array:
        """How often a slice (k,) would err by as much more than the rest if it did not: one-sided.

        Of `counted` mistakes by the hypergeometric distribution, which is exact (Fisher 1935); else by Welch's test
        (Welch 1947, Biometrika 34) on means whose variance is that of their linear form.
        """
        rest_rows, rest = self.whole[0] - self.rows, self.whole[1:, None] - self.sums
        if counted:
            mistakes = np.round(self.sums[1])
            tail = stats.hypergeom.sf(mistakes - 1, self.whole[0], np.round(self.whole[2]), self.rows)
            return np.asarray(np.clip(tail, 0.0, 1.0))
        mean, variance = _moments(self.rows, self.sums)
        other, theirs = _moments(rest_rows, rest)
        both = variance + theirs
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (mean - other) / np.sqrt(both)
            freedom = both**2 / (variance**2 / (self.rows - 1) + theirs**2 / (rest_rows - 1))
            found = stats.t.sf(t, freedom)
        return np.where(both > 0, found, np.where(mean > other, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Grams:
    """The six sums over the rows that meet both of two conditions (6, conditions, conditions)."""

    sums: Array
    whole: Array

    @property
    def rows(self) -> Array:
        """How many rows meet both (conditions, conditions)."""
        return np.asarray(self.sums[0])

    def of(self, chosen: Sequence[tuple[int, ...]]) -> Sums:
        """The sums of the slices that one condition makes, or two."""
        first, last = (np.array([members[end] for members in chosen]) for end in (0, -1))
        picked = self.sums[:, first, last]
        return Sums(picked[0], picked[1:], self.whole)


def sums_of(inside: Array, missed: Misses) -> Grams:
    """The sums of all pairs of conditions `inside` (conditions, n) bool."""
    loss = missed.loss
    weights = np.ones_like(loss) if missed.weights is None else missed.weights
    each = (np.ones_like(loss), weights, weights * loss, weights**2, weights**2 * loss, (weights * loss) ** 2)
    members = inside.astype(float)
    return Grams(np.stack([(members * one) @ members.T for one in each]), np.array([one.sum() for one in each]))


def _moments(rows: Array, sums: Array) -> tuple[Array, Array]:
    """Means (k,) and the variances of them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[1] / sums[0]
        spread = sums[4] - 2 * mean * sums[3] + mean**2 * sums[2]
        return mean, np.maximum(spread, 0.0) / sums[0] ** 2 * rows / np.maximum(1, rows - 1)
