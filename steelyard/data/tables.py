"""Any table (text, Parquet, pandas, polars, NumPy) as one raw frame with plain text names."""

import io
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from steelyard.data import delimited
from steelyard.errors import UserError, suggest

FOREIGN = {
    ".xlsx": "a spreadsheet",
    ".xls": "a spreadsheet",
    ".ods": "a spreadsheet",
    ".json": "JSON",
    ".pkl": "a pickle",
    ".arff": "ARFF",
    ".gz": "compressed",
}


@dataclass(frozen=True)
class RawTable:
    """A table before typing.

    `numbered` is the stem of columns that are known by position only: "column_" (counted from 1) for a text without
    header, "x" (counted from 0) for arrays, "" where columns have names.
    `texts` are columns known to be texts, however short; `labels` says that the values of the target are names of
    classes, numbers or not; `origin` says where each row came from, where that is no mere number.
    """

    name: str
    frame: pd.DataFrame
    numbered: str = ""
    notes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    labels: bool = False
    origin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = self.frame.columns[self.frame.columns.duplicated()]
        if len(twice):
            raise UserError(f"{self.name} has more than one column named '{twice[0]}': rename or remove one of them")


def from_bytes(data: bytes, name: str, expected: Collection[str] = (), headerless: bool = False) -> RawTable:
    """A table from the content of a file: Parquet by its mark, else delimited text."""
    suffix = Path(name).suffix.lower()
    if data[:4] == b"PAR1" or suffix in {".parquet", ".pq"}:
        return RawTable(name, _text_names(_parquet(data, name)))
    if suffix in FOREIGN:
        raise UserError(f"{name} is {FOREIGN[suffix]}, which is not read here: save it as CSV or Parquet")
    frame, header, notes = delimited.parse(data, name, expected, headerless)
    return RawTable(name, frame, "" if header else "column_", notes)


def is_table(source: Any) -> bool:
    """Whether an object is a pandas or polars frame."""
    return isinstance(source, pd.DataFrame) or _of_polars(source)


def from_frame(source: Any, name: str = "table") -> RawTable:
    """A table from a pandas or polars frame; the index is not read."""
    if _of_polars(source):
        source = source.collect() if hasattr(source, "collect") else source
        source = source.to_pandas()
    return RawTable(name, _text_names(source.reset_index(drop=True)))


def from_array(x: np.ndarray, name: str = "array") -> RawTable:
    """A table from a matrix (n, d): columns x0, x1, …."""
    columns = [f"x{i}" for i in range(x.shape[1])]
    return RawTable(name, pd.DataFrame(np.asarray(x), columns=columns), "x")


def position(table: RawTable, target: str | int) -> str:
    """The name of a column given by name or position (negative: from the end).

    Positions count as the columns are named: from 0 for arrays (x0), from 1 elsewhere (column_1).
    """
    names = list(table.frame.columns)
    if str(target).strip() in names:
        return str(target).strip()
    try:
        place = int(target)
    except ValueError:
        raise UserError(f"column '{target}' is not in {table.name}{suggest(str(target), names)}") from None
    first = 0 if table.numbered == "x" else 1
    if -len(names) <= place < 0:
        return str(names[place])
    if first <= place < first + len(names):
        return str(names[place - first])
    last = first + len(names) - 1
    raise UserError(
        f"there is no column {target} in {table.name}: positions run from {first} to {last}, or -1 for the last"
    )


def renumbered(table: RawTable, wanted: Collection[str], target: str) -> RawTable:
    """The table with its numbered columns as they were in training, when only the target's column is gone.

    Columns known by position move up by one behind a missing target; this moves them back.
    """
    stem = table.numbered
    places = [int(n.removeprefix(stem)) for n in {*wanted, target} if n.startswith(stem) and n[len(stem) :].isdecimal()]
    first = 0 if stem == "x" else 1
    count = table.frame.shape[1]
    if not stem or not places or max(places) - first != count or not target.startswith(stem):
        return table
    gone = int(target.removeprefix(stem))
    names = [f"{stem}{i}" for i in range(first, first + count + 1) if i != gone]
    note = f"{table.name} has one column less than in training: taken as '{target}' being absent"
    return replace(table, frame=table.frame.set_axis(names, axis=1), notes=(*table.notes, note))


def select(table: RawTable, names: Collection[str]) -> pd.DataFrame:
    """The named columns in that order; UserError names what is missing."""
    absent = [name for name in names if name not in table.frame.columns]
    if not absent:
        return table.frame[list(names)]
    hints = [f"'{name}'{suggest(name, table.frame.columns)}" for name in absent[:1]]
    others = ", ".join(f"'{name}'" for name in absent[1:6])
    also = f" (also missing: {others}{', …' if len(absent) > 6 else ''})" if others else ""
    raise UserError(f"{table.name} lacks {len(absent)} of the columns the training data has: {hints[0]}{also}")


def _parquet(data: bytes, name: str) -> pd.DataFrame:
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        frame: pd.DataFrame = table.to_pandas().reset_index(drop=True)
        return frame
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"{name} is not a readable Parquet file: {reason}") from error


def _text_names(frame: pd.DataFrame) -> pd.DataFrame:
    names = [" ".join(map(str, n)) if isinstance(n, tuple) else str(n).strip() for n in frame.columns]
    return frame.set_axis(names, axis=1)


def _of_polars(source: Any) -> bool:
    """Whether the object is a polars frame, found out without importing polars."""
    kind = type(source)
    return kind.__module__.split(".")[0] == "polars" and kind.__name__ in {"DataFrame", "LazyFrame"}
