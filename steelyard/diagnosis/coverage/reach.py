"""How far artificial rows reach among the real ones, by nearest neighbours, beside as many fresh real rows.

Sources: precision and recall by nearest neighbours, Kynkäänniemi et al. 2019, section 3 (arXiv 1904.06991); density
and coverage, Naeem et al. 2020, section 3 (arXiv 2002.09797).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

Array = np.ndarray
K, DIVISIONS = 5, 500  # neighbours; divisions of fresh and artificial rows at random
ON = "coverage by rows on the real data"  # as many of both: artificial rows that lie off cover nothing anyway


@dataclass(frozen=True)
class Reach:
    """One measure of the artificial data, of as many fresh real rows, their difference with 95 % and its p-value.

    The interval and the one-sided p-value (None where there is none) come from dividing the artificial and the fresh
    real rows anew at random.
    """

    name: str
    artificial: float
    real: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def lack(self) -> float:
        """What the artificial data lack of what real data reach."""
        return self.real - self.artificial


def measures(space: Array, parts: Array, stream: np.random.Generator) -> tuple[Reach, ...]:
    """Coverage, coverage and recall by the rows on the real data, precision and density of features (n, d).

    `parts` (n,): 0 real rows to be covered, 1 fresh real ones, 2 artificial ones, as many as these.
    """
    target, fresh, made = (space[parts == part] for part in (0, 1, 2))
    inside = cdist(target, np.vstack([fresh, made])) <= _radius(target)[:, None]  # who lies in the ball of which row
    is_made = np.arange(2 * len(fresh)) >= len(fresh)
    balls = inside.sum(axis=0)
    on = np.flatnonzero(balls > 0)
    least = min(int((is_made[on] == side).sum()) for side in (False, True))
    alike = np.concatenate([stream.permutation(on[is_made[on] == side])[:least] for side in (False, True)])
    halves = np.vstack([fresh, made])[alike[least:]], np.vstack([fresh, made])[alike[:least]]
    recalls = [_recall(target, half) for half in halves]
    return (
        _reach("coverage", is_made, stream, lambda rows: _reached(inside, rows)),
        _reach(ON, is_made[alike], stream, lambda rows: _reached(inside[:, alike], rows)),
        Reach("recall", recalls[0], recalls[1]),
        _reach("precision", is_made, stream, lambda rows: (rows @ (balls > 0)) / len(fresh)),
        _reach("density", is_made, stream, lambda rows: rows @ balls / (K * len(fresh))),
    )


def _reached(inside: Array, rows: Array) -> Array:
    """The share of real rows (draws,) in whose ball one of the rows (draws, m) of 0 and 1 lies."""
    return np.asarray((inside.astype(np.float32) @ rows.T.astype(np.float32) > 0).mean(axis=0))


def _reach(name: str, is_made: Array, stream: np.random.Generator, of: Callable[[Array], Array]) -> Reach:
    """A measure with the interval of its lack, and how often chance alone makes it as large."""
    if not is_made.any():
        return Reach(name, 0.0, 0.0)
    drawn = np.array([stream.permutation(is_made) for _ in range(DIVISIONS)]).astype(np.float64)
    lacks = of(1 - drawn) - of(drawn)
    sides = [of(each[None].astype(np.float64)) for each in (is_made, ~is_made)]
    artificial, real = float(sides[0][0]), float(sides[1][0])
    lack, spread = real - artificial, 1.96 * float(lacks.std())
    p = float((1 + (lacks >= lack).sum()) / (1 + len(lacks)))
    return Reach(name, artificial, real, lack - spread, min(lack + spread, real), p)


def _recall(target: Array, rows: Array) -> float:
    """The share of real rows that lie in the ball of one of the rows."""
    return float((cdist(target, rows) <= _radius(rows)[None]).any(axis=1).mean()) if len(rows) > K else 0.0


def _radius(rows: Array) -> Array:
    """The distance (n,) of each row to its K-th neighbour."""
    return np.asarray(np.partition(cdist(rows, rows), min(K, len(rows) - 1), axis=1)[:, min(K, len(rows) - 1)])
