"""Which slices say nothing beyond others: their rows are those of worse ones."""

from dataclasses import replace

import numpy as np

from steelyard.diagnosis.misses import Misses
from steelyard.diagnosis.slice_records import Slice
from steelyard.diagnosis.sums import sums_of
from steelyard.weighing.compare import LEVEL

Array = np.ndarray
SMALLEST = 30  # rows of a slice and of the rest


def without_repeats(missed: Misses, found: list[tuple[Slice, Array]]) -> list[Slice]:
    """The slices, the surest first, where one that is worse only for the rows of others names one of these.

    What remains of it beside the slices that are listed must still be worse than what lies in none of them; or it is
    worse than the rest of the one slice that it lies in. Classes are told apart from all else.
    """
    calls = max(1, sum(each.worse for each, _ in found))
    covered = np.zeros(len(missed.loss), bool)
    listed: list[tuple[Slice, Array]] = []
    told: list[Slice] = []
    for each, rows in found:
        if not each.worse or each.kind == "class":
            told.append(each)
            continue
        around = [(other, theirs) for other, theirs in listed if (rows & theirs).any()]
        new = _is_worse(missed, rows & ~covered, ~rows & ~covered, LEVEL / calls)
        inner = bool(around) and all(_is_worse(missed, rows, theirs & ~rows, LEVEL / calls) for _, theirs in around)
        if around and not new and not inner:
            most = max(around, key=lambda pair: int((rows & pair[1]).sum()))[0]
            told.append(replace(each, within=most.name))
            continue
        told.append(each)
        listed.append((each, rows))
        covered |= rows
    return told


def _is_worse(missed: Misses, rows: Array, others: Array, level: float) -> bool:
    """Whether some rows err more than others, at a level."""
    if int(rows.sum()) < SMALLEST or int(others.sum()) < SMALLEST:
        return False
    both = rows | others
    part = missed.of(both)
    return bool(sums_of(rows[both][None], part).of([(0,)]).p_values(part.counted)[0] <= level)
