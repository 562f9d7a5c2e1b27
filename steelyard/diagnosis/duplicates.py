"""Which rows are the same or nearly so, on which sides of the split they lie, and whether their labels agree."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.duplicates import COARSE
from steelyard.data.near import joined, near_pairs, same_inputs

Array = np.ndarray


@dataclass(frozen=True)
class Twin:
    """One row of a group: where it came from, its part of the split ("" without one) and its target."""

    origin: str
    part: str = ""
    label: str = ""


@dataclass(frozen=True)
class TwinGroup:
    """Rows with the same inputs ("exact"), or some of which are only nearly the same ("near").

    `parts` are the sides of the split they lie on; `torn`: their labels differ.
    """

    kind: Literal["exact", "near"]
    twins: tuple[Twin, ...]
    parts: tuple[str, ...] = ()
    torn: bool = False

    @property
    def crosses(self) -> bool:
        """Whether some are in the test part and others are not."""
        return "test" in self.parts and len(self.parts) > 1


@dataclass(frozen=True)
class Duplicates:
    """All groups of a source, those that cross into test first, then the torn ones.

    `rows` were looked at, of which `exact` have the inputs of another one and `near` nearly those of one; `crossing`
    test rows are found among the others, `torn` groups have labels that differ. `split` says which split is meant.
    """

    source: str
    what: str  # rows or images
    rows: int
    exact: int
    near: int
    crossing: int
    torn: int
    groups: tuple[TwinGroup, ...]
    split: str = ""
    notes: tuple[str, ...] = ()
    output: str = ""
    command: str = ""


def find_duplicates(dataset: Dataset, part: Array | None, split: str = "") -> Duplicates:
    """The groups of a data set; `part` (n,) names the side of the split per row, `split` says whose split that is."""
    same, pairs = same_inputs(dataset), near_pairs(dataset)
    what = "images" if dataset.images is not None else "rows"
    counts = np.bincount(same)
    notes: tuple[str, ...] = ()
    if what == "rows" and len(same) - len(counts) > COARSE * len(same):
        notes = (f"{len(same) - len(counts):,} of {len(same):,} rows repeat others: taken as coincidence, not listed",)
        same, pairs = np.arange(len(same)), pairs[:0]
        counts = np.ones(len(same), np.int64)
    groups = joined(same, pairs)
    sizes = np.bincount(groups)
    order = np.argsort(groups, kind="stable")
    found = [rows for rows in np.split(order, np.cumsum(sizes)[:-1]) if len(rows) > 1]
    labels, parts = _labels(dataset), np.full(len(same), "") if part is None else part
    listed = [_group(dataset, rows, same, labels, parts) for rows in found]
    listed.sort(key=lambda group: (not group.crosses, not group.torn, -len(group.twins)))
    twice = counts[same] > 1
    return Duplicates(
        dataset.name,
        what,
        len(dataset),
        int(twice.sum()),
        int((sizes[groups] > counts[same]).sum()),
        sum(sum(twin.part == "test" for twin in group.twins) for group in listed if group.crosses),
        sum(group.torn for group in listed),
        tuple(listed),
        split,
        notes,
    )


def _group(dataset: Dataset, rows: Array, same: Array, labels: list[str], parts: Array) -> TwinGroup:
    twins = tuple(
        Twin(dataset.origin[row] if dataset.origin else str(row + 1), str(parts[row]), labels[row]) for row in rows
    )
    sides = tuple(side for side in ("train", "dev", "test") if any(twin.part == side for twin in twins))
    torn = bool(dataset.classes) and len({twin.label for twin in twins}) > 1
    return TwinGroup("exact" if len(set(same[rows])) == 1 else "near", twins, sides, torn)


def _labels(dataset: Dataset) -> list[str]:
    if dataset.target is None:
        return [""] * len(dataset)
    if dataset.classes:
        return [dataset.classes[code] for code in dataset.target]
    return [f"{value:g}" for value in dataset.target]


def in_words(found: Duplicates) -> list[str]:
    """What was found, a sentence each."""
    if not found.groups:
        return [f"none of {found.rows:,} {found.what} is the same or nearly the same as another"]
    kinds = Counter(group.kind for group in found.groups)
    said = [
        f"{found.exact:,} of {found.rows:,} {found.what} equal another one, {found.near:,} nearly do: "
        f"{kinds['exact']:,} groups of equal, {kinds['near']:,} of nearly equal {found.what}"
    ]
    if found.crossing:
        said.append(f"{found.crossing:,} test {found.what} are found among the others, too ({found.split})")
    elif found.split:
        said.append(f"none of them crosses into test ({found.split})")
    if found.torn:
        said.append(f"{found.torn:,} groups have labels that differ: some of them are wrong, or the inputs do not tell")
    return said
