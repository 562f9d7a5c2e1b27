"""One source against another: told apart or not, what gives it away, what kind of shift it is, in words."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Dataset
from steelyard.data.duplicates import judge
from steelyard.data.near import same_inputs
from steelyard.data.source import read
from steelyard.data.untargeted import read_untargeted
from steelyard.diagnosis.shift.features import features_of, joined
from steelyard.diagnosis.shift.kinds import TargetShift, Verdict, target_shift, verdict
from steelyard.diagnosis.shift.tells import Tell, tells
from steelyard.diagnosis.shift.two_sample import Separation, separation, told_apart
from steelyard.errors import UserError

Array = np.ndarray
MOST = 4_000  # rows of a side that are looked at
LEAST = 20


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
    groups, said = _groups(first, second, both)
    told = told_apart(features.matrix, domain, groups, seed)
    inputs = separation(told)
    target, why = _target(first, second, names)
    shifted = None if target is None else target_shift(features, domain, groups, target, first.classes, seed)
    found = tells(features, told, seed)
    return Shift(*names, inputs, found, shifted, verdict(inputs, shifted), seed, (*notes, *said, *why))


def data_sets(one: Any, other: Any, one_target: Any, other_target: Any) -> tuple[Dataset, Dataset]:
    """Both sides as data sets with the same columns: as they come, or frames and arrays read together."""
    if isinstance(one, Dataset) and isinstance(other, Dataset):
        return one, other
    if isinstance(one, Dataset) or isinstance(other, Dataset):
        raise UserError("give two data sets, or two frames or arrays: not one of each")
    if len(one) == 0 or len(other) == 0:
        raise UserError("a side has no rows: there is nothing to compare")
    both = [np.asarray(each) if isinstance(each, list) and not _strings(each) else each for each in (one, other)]
    if isinstance(both[0], np.ndarray) and both[0].ndim >= 3:
        zeros = [np.zeros(len(each)) for each in both]
        zeros[0][0] = 1.0  # a target is no part of the comparison, but reading images asks for one
        data = read((both[0], zeros[0]), None, test=(both[1], zeros[1]), task="regression")
    else:
        data = read_untargeted(_frame(both[0]), _frame(both[1]))
    data = replace(data, target=None, classes=())
    assert data.part is not None
    sides = [data.take(np.flatnonzero(data.part == part)) for part in ("train", "test")]
    if one_target is None or other_target is None:
        return sides[0], sides[1]
    return _with_targets(sides, (one_target, other_target))


def _with_targets(sides: list[Dataset], targets: tuple[Any, Any]) -> tuple[Dataset, Dataset]:
    values = [np.asarray(each) for each in targets]
    for data, each in zip(sides, values, strict=True):
        if each.shape != (len(data),):
            raise UserError(f"a target has shape {each.shape}: expected one value for each of {len(data)} rows")
    whole = np.concatenate([np.asarray(each, object) for each in values])
    numeric = all(np.issubdtype(each.dtype, np.number) for each in values)
    if numeric and (len(pd.unique(whole)) > 20 or any(np.issubdtype(each.dtype, np.floating) for each in values)):
        coded = [np.asarray(each, np.float64) for each in values]
        return replace(sides[0], target=coded[0]), replace(sides[1], target=coded[1])
    codes, classes = pd.factorize(pd.Series(whole).astype(str), sort=True)
    named, cut = tuple(map(str, classes)), len(values[0])
    return (
        replace(sides[0], target=codes[:cut], classes=named),
        replace(sides[1], target=codes[cut:], classes=named),
    )


def _frame(values: Any) -> Any:
    if (isinstance(values, np.ndarray) and values.ndim == 1) or _strings(values):
        return pd.DataFrame({"text" if _strings(values) else "value": list(values)})
    return pd.DataFrame(values).add_prefix("column_") if isinstance(values, np.ndarray) else values


def _strings(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and isinstance(values[0], str)


def _sample(data: Dataset, most: int, seed: int) -> Dataset:
    if len(data) <= most:
        return data
    return data.take(np.sort(np.random.default_rng([seed, 7]).choice(len(data), most, replace=False)))


def _groups(first: Dataset, second: Dataset, both: Dataset) -> tuple[Array, tuple[str, ...]]:
    """A number per row of both, the same for rows that are the same, or were kept together already."""
    same = same_inputs(both)
    shared = int(np.isin(same[len(first) :], same[: len(first)]).sum())
    found = judge(same, None, "rows")[0]
    if found is None:
        return np.arange(len(both)), ()
    said = (f"{shared:,} of the {len(second):,} rows of the second source are in the first one, too",) * (shared > 0)
    return found, said


def _target(first: Dataset, second: Dataset, names: tuple[str, str]) -> tuple[Array | None, tuple[str, ...]]:
    """The targets of both (n,), and why there are none."""
    for data, name in ((first, names[0]), (second, names[1])):
        if data.target is None:
            return None, (f"{name} has no target: whether the inputs or the target shifted cannot be told",)
    if first.heads:
        return None, ("several targets are not compared: the inputs are",)
    assert first.target is not None and second.target is not None
    return np.concatenate([first.target, second.target]), ()
