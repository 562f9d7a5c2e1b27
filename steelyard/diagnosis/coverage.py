"""Is artificial data too narrow? How much of the real distribution it reaches, beside what fresh real data reach.

Sources: precision and recall by nearest neighbours, Kynkäänniemi et al. 2019, section 3 (arXiv 1904.06991); density
and coverage, Naeem et al. 2020, section 3 (arXiv 2002.09797).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from steelyard.diagnosis.shift.between import data_sets
from steelyard.diagnosis.shift.features import Features, features_of, joined
from steelyard.diagnosis.shift.tells import holm
from steelyard.errors import UserError

Array = np.ndarray
Verdict = Literal["covers the real data", "too narrow", "off the real data", "too narrow and off the real data"]
K, MOST, LEAST = 5, 1_500, 30  # neighbours; rows of a part that are looked at, at the most and at least
DIVISIONS, SURE = 500, 0.05
ON = "coverage by rows on the real data"  # as many of both: artificial rows that lie off cover nothing anyway
MATTERS = 0.05  # of the real rows must be missed, or of the artificial ones lie off, beyond what fresh real data do


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


@dataclass(frozen=True)
class Gap:
    """What of a feature the artificial data never have: the share of real rows beyond it, artificial and fresh real.

    `what` says which: a level, or the values below and above the range. `adjusted` is Holm's p-value of Fisher's test.
    """

    name: str
    what: str
    missed: float
    by_real: float
    spread: float | None
    adjusted: float

    @property
    def seen(self) -> bool:
        """Whether more is missed than by real data, beyond doubt."""
        return self.adjusted < SURE and self.missed > self.by_real


@dataclass(frozen=True)
class Coverage:
    """What artificial data reach of the real: the measures, the gaps (the widest first) and the verdict.

    `rows` are those of the real part that is to be covered, and of the artificial and the fresh real one alike.
    """

    real: str
    artificial: str
    rows: tuple[int, int]
    neighbours: int
    measures: tuple[Reach, ...]
    gaps: tuple[Gap, ...]
    verdict: Verdict
    seed: int
    output: str = ""
    command: str = ""

    @property
    def narrow(self) -> bool:
        """Whether real data reach more."""
        return self.verdict.startswith("too narrow")


def coverage_of(
    real: Any, artificial: Any, *, names: tuple[str, str] = ("real", "artificial"), seed: int = 0
) -> Coverage:
    """What artificial data reach of real data: two data sets, frames or arrays, as `shift_between` takes them.

    The real rows are cut in half: one half is to be covered, by as many artificial rows as by rows of the other half.
    UserError where there are too few.
    """
    first, second = data_sets(real, artificial, None, None)
    if len(first) < 2 * LEAST or len(second) < LEAST:
        raise UserError(
            f"{names[0]} has {len(first)} rows and {names[1]} {len(second)}: "
            f"at least {2 * LEAST} and {LEAST} are needed"
        )
    stream = np.random.default_rng(seed)
    size = min(len(first) // 2, len(second), MOST)
    order = stream.permutation(len(first))
    whole = min(len(first) - size, MOST)
    chosen = first.take(np.sort(order[:whole])), first.take(np.sort(order[whole : whole + size]))
    made = second.take(np.sort(stream.permutation(len(second))[:size]))
    features = features_of(joined(joined(chosen[0], chosen[1]), made))
    parts = np.repeat([0, 1, 2], [whole, size, size])
    measures = _measures(_space(features.matrix, parts), parts, stream)
    gaps = _gaps(features, parts)
    return Coverage(*names, (whole, size), K, measures, gaps, _verdict(measures, gaps), seed)


def _space(matrix: Array, parts: Array) -> Array:
    """Features scaled by the middle and the spread of the real rows; missing values in the middle."""
    real = matrix[parts < 2]
    middle, spread = np.nanmean(real, axis=0), np.nanstd(real, axis=0)
    scaled = (matrix - middle) / np.where(spread > 1e-9, spread, 1.0)
    return np.clip(np.where(np.isnan(scaled), 0.0, scaled), -10, 10)


def _measures(space: Array, parts: Array, stream: np.random.Generator) -> tuple[Reach, ...]:
    target, fresh, made = (space[parts == part] for part in (0, 1, 2))
    inside = cdist(target, np.vstack([fresh, made])) <= _radius(target)[:, None]  # who lies in the ball of which row
    is_made = np.arange(2 * len(fresh)) >= len(fresh)
    balls = inside.sum(axis=0)
    on = np.flatnonzero(balls > 0)
    least = min(int((is_made[on] == side).sum()) for side in (False, True))
    alike = np.concatenate([stream.permutation(on[is_made[on] == side])[:least] for side in (False, True)])
    recalls = [float((cdist(target, each) <= _radius(each)[None]).any(axis=1).mean()) for each in (made, fresh)]
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
    return Reach(name, artificial, real, lack - spread, lack + spread, p)


def _radius(rows: Array) -> Array:
    """The distance (n,) of each row to its K-th neighbour."""
    return np.asarray(np.partition(cdist(rows, rows), min(K, len(rows) - 1), axis=1)[:, min(K, len(rows) - 1)])


def _gaps(features: Features, parts: Array) -> tuple[Gap, ...]:
    found: list[tuple[Gap, float]] = []
    for place, (name, owner, kind) in enumerate(zip(features.names, features.owners, features.kinds, strict=True)):
        if kind == "component":
            continue
        sides = [column[~np.isnan(column)] for column in (features.matrix[parts == part, place] for part in range(3))]
        if not all(map(len, sides)):
            continue
        target, fresh, made = sides
        if kind in {"number", "date"}:
            low, high = float(made.min()), float(made.max())
            beyond = [int(((side < low) | (side > high)).sum()) for side in (target, fresh)]
            by_real = int(((target < fresh.min()) | (target > fresh.max())).sum())
            what, spread = f"below {low:.4g} or above {high:.4g}", float(made.std() / max(float(fresh.std()), 1e-12))
        else:
            absent = not made.any()
            beyond, by_real = [int((target > 0).sum()) if absent else 0] * 2, 0 if fresh.any() else int(target.sum())
            what, spread = name, None
        p = stats.fisher_exact([[beyond[0], len(target) - beyond[0]], [by_real, len(target) - by_real]], "greater")[1]
        gap = Gap(owner, what, beyond[0] / len(target), by_real / len(target), spread, 1.0)
        found.append((gap, float(p)))
    adjusted = holm([p for _, p in found])
    gaps = [Gap(**{**vars(gap), "adjusted": p}) for (gap, _), p in zip(found, adjusted, strict=True)]
    return tuple(sorted(gaps, key=lambda gap: (not gap.seen, -gap.missed)))


def _verdict(measures: tuple[Reach, ...], gaps: tuple[Gap, ...]) -> Verdict:
    by_name = {each.name: each for each in measures}
    narrow, off = (_lacks(by_name[name]) for name in (ON, "precision"))
    narrow = narrow or any(gap.seen and gap.missed - gap.by_real > MATTERS for gap in gaps)
    if narrow:
        return "too narrow and off the real data" if off else "too narrow"
    return "off the real data" if off else "covers the real data"


def _lacks(reach: Reach) -> bool:
    return reach.p is not None and reach.p < SURE / 2 and reach.lack > MATTERS
