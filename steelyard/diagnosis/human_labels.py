"""The human level from annotators' labels, or from counts of them."""

import numpy as np

from steelyard.data.annotations import Annotations
from steelyard.diagnosis.agreement import agreement
from steelyard.diagnosis.annotators import Annotator, anyone, best_annotator, one_by_one
from steelyard.diagnosis.human_level import RATE, HumanLevel, left_out, lowest
from steelyard.diagnosis.panels import panels
from steelyard.diagnosis.votes import errors_by_class, tallied
from steelyard.errors import UserError

Array = np.ndarray
CONSENSUS = "the majority of the row's other annotators"
UNKNOWN = "who gave which label is not known: intervals are over rows only, and there is no best annotator"


def level_of_labels(said: Annotations, truth: Array | None, seed: int = 0) -> HumanLevel:
    """The human level from labels or counts against codes (rows,) of the truth, else against each other.

    Raises UserError where no row has several labels.
    """
    counts = said.counts if said.labels is None else tallied(said.labels, len(said.classes))
    assert counts is not None
    every = counts.sum(axis=1)
    if not len(every) or every.max() < 2:
        raise UserError("no row has more than one label: expected several annotators of the same rows")
    used = np.flatnonzero(every > (1 if truth is None else 0))
    notes = left_out(len(counts) - len(used), truth is None)
    counts, truth = counts[used], None if truth is None else truth[used]
    ladder, single, best = panels(counts, truth, seed), None, None
    people: tuple[Annotator, ...] = ()
    if said.labels is None:
        notes = (*notes, UNKNOWN)
    else:
        labels, wrong = said.labels[used], errors_by_class(counts, truth)
        cells = np.where(labels >= 0, np.take_along_axis(wrong, np.maximum(labels, 0), axis=1), np.nan)
        single, best, people = anyone(cells), best_annotator(cells, seed), one_by_one(cells, said.names)
    level, of = lowest(ladder, best[1] if best else None)
    return HumanLevel(
        RATE,
        level,
        of,
        CONSENSUS if truth is None else "the true labels",
        truth is None,
        len(used),
        int(counts.sum()),
        single or ladder[0].error,
        best[1] if best else None,
        said.names[best[0]] if best else "",
        ladder,
        agreement(counts),
        None,
        people,
        notes,
    )
