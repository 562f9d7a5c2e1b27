"""What of each feature the artificial data never have: the values beyond their range, the levels they lack."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from steelyard.diagnosis.shift.features import Features
from steelyard.diagnosis.shift.tells import holm

Array = np.ndarray
SURE = 0.05 / 3  # gaps, reach and precision are looked at: together they are wrong in 5 of 100 cases at the most


@dataclass(frozen=True)
class Gap:
    """What of a feature the artificial data never have: the share of real rows beyond it, artificial and fresh real.

    `what` says which: a level, or the values below and above the range. `adjusted` is Holm's p-value of what is missed.
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


def gaps_of(features: Features, parts: Array) -> tuple[Gap, ...]:
    """Every feature with a meaning; `parts` (n,): 0 real rows to be covered, 1 fresh real ones, 2 artificial ones."""
    found: list[tuple[Gap, float]] = []
    for place, (owner, kind) in enumerate(zip(features.owners, features.kinds, strict=True)):
        if kind == "component":
            continue
        sides = [column[~np.isnan(column)] for column in (features.matrix[parts == part, place] for part in range(3))]
        if not all(map(len, sides)):
            continue
        target, fresh, made = sides
        if kind in {"number", "date"}:
            low, high = float(made.min()), float(made.max())
            below, above = int((target < low).sum()), int((target > high).sum())
            missed, by_real = below + above, int(((target < fresh.min()) | (target > fresh.max())).sum())
            what, spread = (
                _range(low if below else None, high if above else None, kind),
                float(made.std() / max(float(fresh.std()), 1e-12)),
            )
            p = min(1.0, 2 * min(_exceeding(each, len(target), len(made)) for each in (below, above)))
        else:
            missed, by_real = (0 if side.any() else int(target.sum()) for side in (made, fresh))
            what, spread, p = features.names[place], None, 1.0
            if missed:
                counts = [[missed, len(target) - missed], [0, len(made)]]
                p = float(stats.fisher_exact(counts, "greater")[1])
        found.append((Gap(owner, what, missed / len(target), by_real / len(target), spread, 1.0), p))
    adjusted = holm([p for _, p in found])
    gaps = [replace(gap, adjusted=p) for (gap, _), p in zip(found, adjusted, strict=True)]
    return tuple(sorted(gaps, key=lambda gap: (not gap.seen, -gap.missed)))


def _exceeding(beyond: int, target: int, made: int) -> float:
    """How often chance puts so many of `target` rows beyond the last of `made` rows of the same distribution.

    The outermost of all rows are then all of the one kind (an exceedance test).
    """
    steps = np.arange(beyond)
    return float(np.prod((target - steps) / (target + made - steps)))


def _range(low: float | None, high: float | None, kind: str) -> str:
    """The values that are beyond the range, below it, above it or both."""
    shown = [None if each is None else _value(each, kind) for each in (low, high)]
    words = ("before", "after") if kind == "date" else ("below", "above")
    return " or ".join(f"{word} {each}" for word, each in zip(words, shown, strict=True) if each is not None)


def _value(value: float, kind: str) -> str:
    return str(np.datetime64(int(np.floor(value)), "D")) if kind == "date" else f"{value:.4g}"
