"""Is artificial data too narrow? How much of the real distribution it reaches, beside what fresh real data reach."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from steelyard.diagnosis.coverage.gaps import SURE, Gap, gaps_of
from steelyard.diagnosis.coverage.reach import ON, K, Reach, measures
from steelyard.diagnosis.shift.features import Features, features_of, joined
from steelyard.diagnosis.shift.sides import data_sets
from steelyard.errors import UserError

Array = np.ndarray
Verdict = Literal["covers the real data", "too narrow", "off the real data", "too narrow and off the real data"]
MOST, LEAST = 1_500, 30  # rows of a part that are looked at, at the most and at least
MATTERS = 0.05  # of the real rows must be missed, or of the artificial ones lie off, beyond what fresh real data do
THIN, COMMON = 0.2, 0.25  # lack of density that matters; the least spread by which a level is scaled


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
    found = measures(_space(features, parts), parts, stream)
    gaps = gaps_of(features, parts)
    return Coverage(*names, (whole, size), K, found, gaps, _verdict(found, gaps), seed)


def _space(features: Features, parts: Array) -> Array:
    """Features scaled by the middle and the spread of the real rows; missing values in the middle.

    A rare level does not count for more than one that a sixteenth of the rows have; components of one owner keep their
    sizes against each other.
    """
    matrix = features.matrix
    real, known = matrix[parts < 2], ~np.isnan(matrix[parts < 2])
    many = np.maximum(1, known.sum(axis=0))
    middle = np.where(known, real, 0.0).sum(axis=0) / many
    spread = np.sqrt((np.where(known, real - middle, 0.0) ** 2).sum(axis=0) / many)
    for place, kind in enumerate(features.kinds):
        if kind in {"level", "missing", "word"}:
            spread[place] = max(spread[place], COMMON)
        elif kind == "component":
            spread[place] = max(spread[features.of(features.owners[place])])
    scaled = (matrix - middle) / np.where(spread > 1e-9, spread, 1.0)
    return np.clip(np.where(np.isnan(scaled), 0.0, scaled), -10, 10)


def _verdict(found: tuple[Reach, ...], gaps: tuple[Gap, ...]) -> Verdict:
    """Narrow: real rows are missed that fresh real rows would reach. Off: rows lie where real rows are few or none.

    Rows that lie off leave others to be missed, so that beside them the recall must lack something, too.
    """
    by_name = {each.name: each for each in found}
    off = _lacks(by_name["precision"]) or (_lacks(by_name["density"]) and by_name["density"].lack > THIN)
    narrow = _lacks(by_name[ON]) and (not off or by_name["recall"].lack > MATTERS)
    narrow = narrow or any(gap.seen and gap.missed - gap.by_real > MATTERS for gap in gaps)
    if narrow:
        return "too narrow and off the real data" if off else "too narrow"
    return "off the real data" if off else "covers the real data"


def _lacks(reach: Reach) -> bool:
    return reach.p is not None and reach.p < SURE and reach.lack > MATTERS
