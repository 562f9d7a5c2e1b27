"""One source against another: told apart or not, what gives it away, what kind of shift it is, in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.duplicates import judge
from steelyard.data.near import same_inputs
from steelyard.diagnosis.shift.features import features_of, joined
from steelyard.diagnosis.shift.kinds import TargetShift, Verdict, target_shift, verdict
from steelyard.diagnosis.shift.sides import data_sets
from steelyard.diagnosis.shift.tells import Tell, tells
from steelyard.diagnosis.shift.two_sample import Separation, separation, told_apart
from steelyard.errors import UserError

Array = np.ndarray
MOST = 4_000  # rows of a side that are looked at
LEAST = 20
APART = 0.95  # of the AUC: beyond it the same inputs are too rarely met in both sources


@dataclass(frozen=True)
class Shift:
    """Two sources `first` and `second` compared: their AUC, the features by how much they give away, the verdict."""

    first: str
    second: str
    inputs: Separation
    tells: tuple[Tell, ...]
    target: TargetShift | None
    verdict: Verdict
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def seen(self) -> bool:
        """Whether anything differs."""
        return self.verdict != "no shift seen"

    @property
    def apart(self) -> bool:
        """Whether hardly a row of one source could be of the other."""
        return self.inputs.low > APART


@dataclass(frozen=True)
class Shifts:
    """Pairs of sources that were compared; `opened` says what was looked at of the sealed test, if anything."""

    source: str
    pairs: tuple[Shift, ...]
    opened: str = ""
    notes: tuple[str, ...] = ()
    output: str = ""
    command: str = ""


def shift_between(
    one: Any,
    other: Any,
    one_target: Any = None,
    other_target: Any = None,
    *,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    most: int = MOST,
) -> Shift:
    """Compare two data sets, frames, or arrays (n, d) or (n, h, w, c), whose targets (n,) may be given.

    Of each at most `most` rows are looked at, drawn at random. With the targets of both the verdict tells a shift of
    the inputs from one of the target; targets of data sets are their own. Raises UserError.
    """
    first, second = data_sets(one, other, one_target, other_target)
    for data, name in ((first, names[0]), (second, names[1])):
        if len(data) < LEAST:
            raise UserError(f"{name} has {len(data)} rows: at least {LEAST} are needed to compare sources")
    notes = tuple(
        f"{most:,} of the {len(data):,} rows of {name} are looked at, drawn at random"
        for data, name in ((first, names[0]), (second, names[1]))
        if len(data) > most
    )
    first, second = (_sample(data, most, seed + side) for side, data in enumerate((first, second)))
    both = joined(first, second)
    features = features_of(both)
    domain = np.repeat([0, 1], [len(first), len(second)])
    groups, said = _groups(first, second, both, names)
    told = told_apart(features.matrix, domain, groups, seed)
    inputs = separation(told)
    target, why = _target(first, second, names)
    shifted = None if target is None else target_shift(features, domain, groups, target, first.classes, seed)
    found = tells(features, told, seed)
    return Shift(*names, inputs, found, shifted, verdict(inputs, shifted), seed, (*notes, *said, *why))


def _sample(data: Dataset, most: int, seed: int) -> Dataset:
    if len(data) <= most:
        return data
    return data.take(np.sort(np.random.default_rng([seed, 7]).choice(len(data), most, replace=False)))


def _groups(first: Dataset, second: Dataset, both: Dataset, names: tuple[str, str]) -> tuple[Array, tuple[str, ...]]:
    """A number per row of both, the same for rows that are the same, or were kept together already."""
    same = same_inputs(both)
    shared = int(np.isin(same[len(first) :], same[: len(first)]).sum())
    found = judge(same, None, "rows")[0]
    if found is None:
        return np.arange(len(both)), ()
    said = (f"{shared:,} of the {len(second):,} rows of {names[1]} are in {names[0]}, too",) * (shared > 0)
    return found, said


def _target(first: Dataset, second: Dataset, names: tuple[str, str]) -> tuple[Array | None, tuple[str, ...]]:
    """The targets of both (n,), and why there are none."""
    for data, name in ((first, names[0]), (second, names[1])):
        if data.target is None:
            return None, (f"there are no targets in {name}: whether the inputs or the target shifted cannot be told",)
    if first.heads:
        return None, ("several targets are not compared: the inputs are",)
    assert first.target is not None and second.target is not None
    return np.concatenate([first.target, second.target]), ()
