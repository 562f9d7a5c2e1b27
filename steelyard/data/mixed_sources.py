"""Rows of several sources in one data set: all may be learnt from, the target sources alone are what is asked about.

Ng 2018, "Machine Learning Yearning", chapters 36 to 41: dev and test are to hold what the model is for; rows from
elsewhere help to train it, and rows held out of train ("training dev set") tell variance from a mismatch of the data.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from steelyard.data.columns import to_levels
from steelyard.data.sources import Mix, Sources
from steelyard.data.tables import RawTable, position
from steelyard.data.targets import class_names
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest

Array = np.ndarray
LEAST_TARGET = 20  # rows of the target sources outside a ready test, below which dev and test say nothing
UNSAID = "(not said)"  # the source of rows whose cell is empty


def located(mix: Mix, table: RawTable, taken: Collection[str], exclude: Collection[str] = ()) -> Mix:
    """The same with the column by its name; UserError where it is not there, or is `taken` by something else."""
    column = position(table, mix.column)
    if column in taken:
        raise UserError(f"the source column cannot be '{column}': it is the target, the weights, an id or a time")
    if column in exclude:
        raise UserError(f"cannot exclude '{column}': it says the source of each row, and so is no input anyway")
    return replace(mix, column=column)


def completed(mix: Mix, test: RawTable) -> RawTable:
    """A table of test rows with the source of each: that of the target, where it has no such column."""
    if mix.column in test.frame.columns:
        return test
    if len(mix.targets) > 1:
        raise UserError(
            f"the test source {test.name} has no column '{mix.column}' to say which of the {len(mix.targets)} target "
            "sources its rows are from: add it"
        )
    return replace(test, frame=test.frame.assign(**{str(mix.column): mix.targets[0]}))


def source_names(values: pd.Series) -> Array:
    """The source of each row as text (n,); `2019` and `2019.0` are the same one."""
    if to_levels(values) is None:
        raise UserError(f"the source column '{values.name}' holds lists or other objects: expected names")
    return np.array([UNSAID if name is None else str(name) for name in class_names(values)], dtype=object)


def misplaced(names: Array, mix: Mix, part: Array | None) -> tuple[Array, tuple[str, ...]]:
    """Rows (n,) bool of other sources that a ready split has put into dev or test, and what is said about them.

    UserError where it has put no others there.
    """
    wrong = np.zeros(len(names), bool)
    if part is None:
        return wrong, ()
    wrong = np.isin(part, ("dev", "test")) & ~np.isin(names.astype(str), mix.targets)
    for name in ("dev", "test"):
        here = part == name
        if here.any() and wrong[here].all():
            asked = " or ".join(f"'{target}'" for target in mix.targets)
            raise UserError(f"none of the {int(here.sum())} {name} rows is of {asked}: {name} is to hold such rows")
    many = int(wrong.sum())
    return wrong, (f"{counted(many, 'row')} of other sources left out of the ready dev and test",) if many else ()


def sources_of(names: Array, mix: Mix, target: Array, part: Array | None) -> tuple[Sources, tuple[str, ...]]:
    """The sources of the usable rows with their `names` (n,) and `target`, and what is said about them.

    UserError where there is nothing to mix, a target source is not there, or dev and test of it could say nothing.
    """
    known, codes, counts = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    for name in mix.targets:
        if name not in known:
            raise UserError(f"column '{mix.column}' names no source '{name}'{suggest(name, known)}")
    if len(known) == 1:
        raise UserError(f"column '{mix.column}' names one source only, '{known[0]}': leave the source column out")
    if set(known) <= set(mix.targets):
        raise UserError(f"every source in column '{mix.column}' is a target source: leave the source column out")
    targets = tuple(int(code) for code in np.flatnonzero(np.isin(known, mix.targets)))
    found = Sources(str(mix.column), tuple(known.tolist()), codes.reshape(-1), targets)
    _require(found, target, part)
    most = np.argsort(-counts, kind="stable")
    shown = ", ".join(f"{known[i]} {counts[i]:,}" for i in most[:6]) + (", …" if len(known) > 6 else "")
    return found, (
        f"column '{mix.column}' says the source of each row ({shown}): dev and test hold rows of {found.words} only",
        f"column '{mix.column}' is no input, it would give the source away: to have it as one, add a copy of it",
    )


def _require(found: Sources, target: Array, part: Array | None) -> None:
    """UserError where the target sources have too few rows outside a ready test, or always the same target there."""
    wanted = found.wanted
    outside = wanted if part is None else wanted & (part != "test")
    if outside.sum() < LEAST_TARGET:
        where = "" if part is None else " outside the test"
        raise UserError(
            f"{counted(int(outside.sum()), 'usable row')} of {found.words}{where}: dev and test need at least "
            f"{LEAST_TARGET} rows of the target source"
        )
    if target.ndim == 1 and len(np.unique(target[wanted])) < 2:
        raise UserError(f"all rows of {found.words} have the same target: dev and test could tell nothing")
