"""Any table (text, Parquet, pandas, polars, NumPy) as one raw frame with plain text names."""

import gzip
import io
import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import arff, arrow, delimited
from steelyard.data.files import BOMB_BYTES
from steelyard.errors import UserError, suggest

FOREIGN = {
    ".xlsx": "a spreadsheet",
    ".xls": "a spreadsheet",
    ".ods": "a spreadsheet",
    ".pkl": "a pickle",
}
LINES = {".jsonl", ".ndjson"}


@dataclass(frozen=True)
class RawTable:
    """A table before typing.

    `numbered` is the stem of columns that are known by position only: "column_" (counted from 1) for a text without
    header, "x" (counted from 0) for arrays, "" where columns have names. `target` is the column to predict where the
    source says so itself; `folder` the one that paths in the table start from, None where it is no file.
    `texts` are columns known to be texts, however short; `labels` says that the values of the target are names of
    classes, numbers or not; `origin` says where each row came from, where that is no mere number.
    """

    name: str
    frame: pd.DataFrame
    numbered: str = ""
    notes: tuple[str, ...] = ()
    target: str = ""
    folder: Path | None = None
    texts: tuple[str, ...] = ()
    labels: bool = False
    origin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = self.frame.columns[self.frame.columns.duplicated()]
        if len(twice):
            raise UserError(f"{self.name} has more than one column named '{twice[0]}': rename or remove one of them")


def from_bytes(data: bytes, name: str, expected: Collection[str] = (), headerless: bool = False) -> RawTable:
    """A table from the content of a file: Parquet and Arrow by their marks, JSON by its name, else delimited text."""
    suffix = Path(name).suffix.lower()
    if data[:2] == b"\x1f\x8b":
        return from_bytes(_unpacked(data, name), name.removesuffix(".gz"), expected, headerless)
    if data[:4] == b"PAR1" or suffix in {".parquet", ".pq"}:
        return _of_arrow(arrow.read_parquet(data, name), name)
    if arrow.is_arrow(data, name):
        return _of_arrow(arrow.read_arrow(data, name), name)
    if suffix in {".json", *LINES}:
        return RawTable(name, _text_names(_records(data, name, suffix in LINES)))
    if suffix == ".arff":
        return RawTable(name, _text_names(arff.parse(data, name)))
    if suffix in FOREIGN:
        raise UserError(f"{name} is {FOREIGN[suffix]}, which is not read here: save it as CSV or Parquet")
    frame, header, notes = delimited.parse(data, name, expected, headerless)
    return RawTable(name, frame, "" if header else "column_", notes)


def is_table(source: Any) -> bool:
    """Whether an object is a pandas or polars frame."""
    return isinstance(source, pd.DataFrame) or _of_polars(source)


def from_frame(source: Any, name: str = "table", target: str = "") -> RawTable:
    """A table from a pandas or polars frame; the index is not read. `target` names its target where that is known."""
    if _of_polars(source):
        source = source.collect() if hasattr(source, "collect") else source
        source = source.to_pandas()
    return RawTable(name, _text_names(source.reset_index(drop=True)), target=target)


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


def positions(table: RawTable, target: str | int | Sequence[str | int]) -> tuple[str, ...]:
    """The names of the target columns; `a,b` names two where no column has that very name."""
    if isinstance(target, str) and "," in target and target.strip() not in table.frame.columns:
        target = target.split(",")
    if isinstance(target, str | int):
        return (position(table, target),)
    if not target:
        raise UserError("no target is named: give the names of one or several columns")
    return tuple(position(table, each) for each in target)


def renumbered(table: RawTable, wanted: Collection[str], targets: Collection[str]) -> RawTable:
    """The table with its numbered columns as they were in training, when only the target columns are gone.

    Columns known by position move up behind a missing target; this moves them back.
    """
    stem = table.numbered
    places = [int(n.removeprefix(stem)) for n in {*wanted, *targets} if _by_number(n, stem)]
    first = 0 if stem == "x" else 1
    count, less = table.frame.shape[1], len(targets)
    if not stem or not places or max(places) - first != count + less - 1:
        return table
    if not all(_by_number(target, stem) for target in targets):
        return table
    gone = {int(target.removeprefix(stem)) for target in targets}
    names = [f"{stem}{i}" for i in range(first, first + count + less) if i not in gone]
    shown = ", ".join(f"'{target}'" for target in targets)
    many = f"{less} columns" if less > 1 else "one column"
    note = f"{table.name} has {many} less than in training: taken as {shown} being absent"
    return replace(table, frame=table.frame.set_axis(names, axis=1), notes=(*table.notes, note))


def _by_number(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) :].isdecimal()


def select(table: RawTable, names: Collection[str]) -> pd.DataFrame:
    """The named columns in that order; UserError names what is missing."""
    absent = [name for name in names if name not in table.frame.columns]
    if not absent:
        return table.frame[list(names)]
    hints = [f"'{name}'{suggest(name, table.frame.columns)}" for name in absent[:1]]
    others = ", ".join(f"'{name}'" for name in absent[1:6])
    also = f" (also missing: {others}{', …' if len(absent) > 6 else ''})" if others else ""
    raise UserError(f"{table.name} lacks {len(absent)} of the columns the training data has: {hints[0]}{also}")


def _of_arrow(table: Any, name: str) -> RawTable:
    found = arrow.labels(table)
    return RawTable(name, _text_names(arrow.to_frame(table, name)), target=found[0] if len(found) == 1 else "")


def _unpacked(data: bytes, name: str) -> bytes:
    """What a gzip file holds; UserError when it is damaged or unpacks to far more than a table would."""
    try:
        with gzip.open(io.BytesIO(data)) as file:
            found = file.read(BOMB_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{name} is not a readable gzip file: {error}") from error
    if len(found) > BOMB_BYTES:
        raise UserError(f"{name} unpacks to more than {BOMB_BYTES >> 20:,} MB: unpack it yourself if that is meant")
    return found


def _records(data: bytes, name: str, lines: bool) -> pd.DataFrame:
    """The columns of a list of JSON objects, or of one object a line."""
    try:
        text = data.decode("utf-8-sig")
        whole = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not readable JSON: {error}") from error
    if not isinstance(whole, list) or not all(isinstance(record, dict) for record in whole):
        form = "one object a line" if lines else "a list of objects"
        raise UserError(f'{name} holds other JSON than {form}, as {{"age": 30, "income": "low"}}: save it as CSV')
    return pd.DataFrame.from_records(whole)


def _text_names(frame: pd.DataFrame) -> pd.DataFrame:
    names = [" ".join(map(str, n)) if isinstance(n, tuple) else str(n).strip() for n in frame.columns]
    return frame.set_axis(names, axis=1)


def _of_polars(source: Any) -> bool:
    """Whether the object is a polars frame, found out without importing polars."""
    kind = type(source)
    return kind.__module__.split(".")[0] == "polars" and kind.__name__ in {"DataFrame", "LazyFrame"}
