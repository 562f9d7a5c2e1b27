"""Tables with a row for every value: whose it is, when it was, and what was measured; one case for every id."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from steelyard.data.columns import convert, decide
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.layout import Layout
from steelyard.data.mixed_sources import completed, located
from steelyard.data.series import RawSeries, padded, series_dataset, series_like
from steelyard.data.sources import Mix
from steelyard.data.tables import RawTable, position, select
from steelyard.data.times import read_times, sort_rows
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest


def long_dataset(
    table: RawTable,
    target: str | int,
    test: RawTable | None,
    task: str | None,
    exclude: Sequence[str],
    layout: Layout,
    mix: Mix | None = None,
) -> Dataset:
    """The data set of a long table: the values of an id, in the order of time, are its series."""
    layout, name = named(table, layout), position(table, target)
    if layout.id is None:
        raise UserError("a table of series needs a column that tells them apart: name it as id, or a horizon")
    if name in {layout.id, layout.time}:
        raise UserError(f"the target cannot be '{name}': it is the id or the time")
    taken = [name, layout.id, str(layout.time)]
    source = ""
    if mix is not None:
        mix = located(mix, table, taken, exclude)
        test = None if test is None else completed(mix, test)
        source = str(mix.column)
    columns, notes = measured(table, [*taken, *([source] if source else []), *exclude], exclude)
    raw = _cases(table, name, columns, layout, notes, source)
    other = None if test is None else _cases(test, name, columns, layout, (), source)
    return series_dataset(raw, other, name, task, layout, mix)


def long_like(table: RawTable, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """The cases of a long table for a trained model; the target may be absent."""
    target = schema.target if schema.target in table.frame.columns else None
    return series_like(_cases(table, target, schema.columns, schema.layout, ()), schema, classes)


def named(table: RawTable, layout: Layout) -> Layout:
    """The layout with its columns by their names; UserError for one that is not there."""
    found = {
        what: position(table, column)
        for what, column in (("id", layout.id), ("time", layout.time))
        if column is not None
    }
    return Layout(**(layout.to_dict() | found))


def measured(
    table: RawTable, taken: Sequence[str], exclude: Sequence[str]
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns of numbers that are no id, time or target, and what is said of the others."""
    for column in exclude:
        if column not in table.frame.columns:
            raise UserError(
                f"cannot exclude '{column}': it is not in {table.name}{suggest(column, table.frame.columns)}"
            )
    rest = [column for column in table.frame.columns if column not in taken]
    kinds = {column: decide(column, table.frame[column]).column for column in rest}
    numbers = [column for column in kinds.values() if column is not None and column.kind == "number"]
    if not numbers:
        raise UserError(f"{table.name} has no column of numbers besides {', '.join(taken)}: a series needs values")
    left = [column for column, kind in kinds.items() if kind is None or kind.kind != "number"]
    shown = ", ".join(f"'{column}'" for column in left[:5])
    said = (f"{counted(len(left), 'column')} left out, holding no numbers over time: {shown}",) if left else ()
    return tuple(numbers), said


def _cases(
    table: RawTable,
    target: str | None,
    columns: Sequence[Column],
    layout: Layout,
    notes: tuple[str, ...],
    source: str = "",
) -> RawSeries:
    """One case for every id of a table; the column `source`, if there is one, says the source of each."""
    keys = [str(layout.id), str(layout.time), *([target] if target else []), *([source] if source else [])]
    needed = [*keys, *(column.name for column in columns)]
    frame = select(table, list(dict.fromkeys(needed))).reset_index(drop=True)
    if not len(frame):
        raise UserError(f"{table.name} has no rows")
    times = read_times(frame[str(layout.time)], str(layout.time), table.name)
    rows = sort_rows(frame[str(layout.id)], times, str(layout.id), str(layout.time), table.name)
    values = np.stack([convert(frame[column.name], column).values for column in columns]).astype(np.float32)
    parts = rows.parts()
    labels = None if target is None else _constant(frame[target], parts, rows.names, target, table.name)
    sources = _constant(frame[source], parts, rows.names, source, table.name, "source") if source else None
    return RawSeries(
        table.name,
        padded([values[:, part] for part in parts], len(columns)),
        labels,
        tuple(column.name for column in columns),
        rows.names,
        (*table.notes, *times.notes, *rows.notes, *notes),
        sources=sources,
    )


def _constant(
    values: pd.Series,
    parts: list[np.ndarray],
    names: tuple[str, ...],
    target: str,
    source: str,
    what: str = "target",
) -> pd.Series:
    """The target (or `what`) of every id, the same in all of its rows; where some say nothing, the others decide."""
    codes, _ = pd.factorize(values)
    first = []
    for part, name in zip(parts, names, strict=True):
        there = part[codes[part] >= 0]
        if len(there) and (codes[there] != codes[there[0]]).any():
            different = ", ".join(f"'{each}'" for each in pd.unique(values.iloc[there])[:3])
            hint = "; to predict a column over time, say how many steps ahead as horizon" * (what == "target")
            changes = f"{what} '{target}' changes within id '{name}' ({different})"
            raise UserError(f"{source}: {changes}: expected one value a series{hint}")
        first.append(int(there[0]) if len(there) else int(part[0]))
    return values.iloc[first].reset_index(drop=True)
