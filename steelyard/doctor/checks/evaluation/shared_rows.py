"""Rows that are in train and in dev.

What was learnt by heart is then counted as understood: dev says too much good of the model (Kapoor and Narayanan 2023,
"Leakage and the reproducibility crisis in machine-learning-based science"). Rows of few values are alike by chance;
how often is reckoned with.

Broken: `random_split` after augmentation or over-sampling. Mended: split first, then augment the train part alone.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Subset

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import by_chance, codes, hashes, spread, whole

SHARE = 0.02  # of the dev rows that were looked at: fewer may be true repeats
BEYOND = 5.0  # times as many as chance would give
NATURAL = 0.5  # of the rows, where about as many repeat within train: doubles that many a data set holds
CLASS, NEARLY_ALL = 8, 0.8  # rows of a class, and the share of them that is no accident


@check(
    "SY603",
    "Rows of dev are in train, too",
    "error",
    means="dev counts what was learnt by heart: its score is too good",
    treat="split before rows are repeated or augmented; keep rows of one person or thing on one side",
)
def shared_rows(case: Case) -> Saw | None:
    pairs = [("train", "dev"), ("train", "test"), ("dev", "test")]
    pairs = [pair for pair in pairs if all(getattr(case, side) is not None for side in pair)]
    if not pairs:
        raise NotMeasured("train and dev batches are needed")
    for one, two in pairs:
        saw = _same_places(case, one, two) or _same_rows(case, one, two)
        if saw is not None:
            return saw
    return None


def _same_places(case: Case, one: str, two: str) -> Saw | None:
    """Loaders that draw the same rows of the same data set: no row needs to be read for that."""
    first, second = (_drawn(getattr(case, side)) for side in (one, two))
    if first is None or second is None or first[0] is not second[0]:
        return None
    shared = len(set(first[1]) & set(second[1]))
    if not shared:
        return None
    text = f"{shared} of {len(second[1])} {two} rows are rows of {one}, by their places in the data set"
    return Saw(text, {"shared": shared, two: len(second[1])})


def _drawn(source: Any) -> tuple[Any, Sequence[int]] | None:
    """The innermost data set of a loader, and the places in it that are drawn."""
    found = whole(source)
    if found is None:
        return None
    data: Any = found[0]
    places: Sequence[int] = found[1]
    while isinstance(data, Subset):
        data, places = data.dataset, [data.indices[place] for place in places]
    return data, places


def _same_rows(case: Case, one: str, two: str) -> Saw | None:
    """Rows with the same inputs."""
    seen = {"train": case.batches, "dev": case.dev_batches, "test": case.test_batches}
    here = spread(case, one)
    here = here if here is seen[one] else [*here, *seen[one]]
    there = spread(case, two)
    first, second = hashes(here), hashes(there)
    if not len(first) or not len(second):
        return None
    shared = int(torch.isin(second, first).sum())
    if shared <= SHARE * len(second):
        return None
    known = torch.unique(first)
    alike = min(1.0, by_chance(here) * len(known)) * len(second)
    if shared < BEYOND * alike:
        return None
    own = hashes(spread(case, one))
    _, places, counts = torch.unique(own, return_inverse=True, return_counts=True)
    within = float((counts[places] > 1).float().mean())
    natural = shared < NATURAL * len(second) and within > shared / len(second) / 2
    whole_class = _whole_class(codes(there), torch.isin(second, first))
    text = f"{shared} of {len(second)} {two} rows are among the {len(known)} {one} rows that were looked at"
    if natural and not whole_class:
        text += f"; within {one}, {within:.0%} of the rows have a double"
    evidence = {"shared": shared, two: len(second), "within": within}
    return Saw(text, evidence, "tip" if natural and not whole_class else None)


def _whole_class(labels: Tensor | None, shared: Tensor) -> bool:
    """Whether nearly all rows of a class are shared, as where rare ones were repeated before the split."""
    if labels is None or len(labels) != len(shared):
        return False
    for name in torch.unique(labels):
        rows = shared[labels == name]
        if len(rows) >= CLASS and float(rows.float().mean()) > NEARLY_ALL:
            return True
    return False
