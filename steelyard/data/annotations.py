"""What several annotators said of the same rows: labels or values of each, or counts per class."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.columns import numbers
from steelyard.data.source import raw_table
from steelyard.data.targets import class_names, codes_of, infer_task, sorted_classes
from steelyard.errors import UserError, suggest

Array = np.ndarray
ROW, LONG = "row", ("row", "annotator", "label")


@dataclass(frozen=True)
class Annotations:
    """One of three, for rows in order: `labels` (rows, annotators) int64 codes into `classes`, -1 where nothing was
    said; `values` (rows, annotators) float64, NaN likewise; `counts` (rows, classes) of how many said each class.

    `names` are those of the annotators, `rows` the names of the rows where the source gives them.
    """

    classes: tuple[str, ...] = ()
    labels: Array | None = None
    values: Array | None = None
    counts: Array | None = None
    names: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(each for each in (self.labels, self.values, self.counts) if each is not None))

    def take(self, rows: Array) -> "Annotations":
        """What was said of those rows."""

        def pick(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        named = tuple(self.rows[i] for i in rows) if self.rows else ()
        return replace(self, labels=pick(self.labels), values=pick(self.values), counts=pick(self.counts), rows=named)


def annotations_of(source: Any, classes: Sequence[str] = (), values: bool | None = None) -> Annotations:
    """What annotators said, from a CSV, TSV or Parquet file, a frame, an array or a .npy file.

    A table has a column for each annotator, empty where nothing was said, and may have a column `row` that names the
    rows; or it has the columns row, annotator and label and a line for each label. Arrays are (rows, annotators); a
    .npy file holds counts (rows, classes) and is never unpickled. `classes` are those that may be said, in the order
    of the counts; without them all that are said are taken. `values`: numbers are measured, not classes; None: as they
    look. Raises UserError.
    """
    if isinstance(source, str | os.PathLike) and Path(source).suffix.lower() == ".npy":
        return counts_of(array_of(Path(source)), classes, Path(source).name)
    if isinstance(source, np.ndarray | list):
        source = pd.DataFrame(np.asarray(source)) if np.ndim(source) == 2 else source
        if not isinstance(source, pd.DataFrame):
            raise UserError(f"annotations are a matrix (rows, annotators), got shape {np.shape(source)}")
        source = source.rename(columns=lambda place: f"annotator {int(place) + 1}")
    table = raw_table(source, (*LONG, ""))
    frame = _wide(table.frame, table.name)
    rows = tuple(_names(frame[ROW])) if ROW in frame else ()
    if twice := _twice(rows):
        raise UserError(
            f"{table.name} has row '{twice}' more than once: expected one line a row, or the columns {', '.join(LONG)}"
        )
    frame = frame.drop(columns=[ROW] * bool(rows))
    _check(frame, table.name)
    names = tuple(map(str, frame.columns))
    said = pd.concat([frame[name] for name in frame.columns], ignore_index=True).rename("label")
    if values is None:
        values = not classes and infer_task(said, None, "label") == "regression"
    if values:
        return Annotations(values=_measured(frame, table.name), names=names, rows=rows)
    return _coded(frame, classes, table.name, names, rows)


def truth_of(source: Any, column: str | None = None) -> tuple[pd.Series, tuple[str, ...]]:
    """The true labels or values of rows, and the names of the rows where there is a column `row`. Raises UserError."""
    if isinstance(source, str | os.PathLike) and Path(source).suffix.lower() == ".npy":
        found = array_of(Path(source))
        if found.ndim != 1:
            raise UserError(f"{Path(source).name} has shape {found.shape}: expected one true label for each row")
        return pd.Series(found), ()
    table = raw_table(source, (ROW, column or ""))
    rest = [name for name in table.frame.columns if name != ROW]
    if column is None and len(rest) != 1:
        raise UserError(f"{table.name} has {len(rest)} columns: say which one holds the truth with --column")
    name = rest[0] if column is None else column
    if name not in table.frame.columns:
        raise UserError(f"column '{name}' is not in {table.name}{suggest(name, rest)}")
    return table.frame[name], tuple(_names(table.frame[ROW])) if ROW in table.frame else ()


def counts_of(counts: Array, classes: Sequence[str] = (), name: str = "the array") -> Annotations:
    """Annotations from counts (rows, classes). Raises UserError."""
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] < 2 or not np.issubdtype(counts.dtype, np.number):
        raise UserError(f"{name} has shape {counts.shape}: expected counts (rows, classes), how many said each class")
    whole = np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.round(counts)).all()
    if not whole:
        raise UserError(f"{name} holds other than whole numbers from 0: expected counts of labels, no shares")
    if classes and len(classes) != counts.shape[1]:
        raise UserError(f"{name} has counts of {counts.shape[1]} classes, but there are {len(classes)}")
    return Annotations(tuple(classes) or tuple(map(str, range(counts.shape[1]))), counts=counts.astype(np.int64))


def array_of(path: Path) -> Array:
    """The array in a .npy file, never unpickled. Raises UserError."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"cannot read {path.name} as an array of numbers: {error}") from error


def _wide(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A column for each annotator, whatever form the table has."""
    if set(frame.columns) != set(LONG):
        return frame
    if len(lost := frame[frame[["row", "annotator"]].isna().any(axis=1)]):
        raise UserError(f"{name}: {len(lost):,} lines lack a row or an annotator, as line {lost.index[0] + 2}")
    again = frame.duplicated(["row", "annotator"])
    if again.any():
        first = frame[again].iloc[0]
        raise UserError(f"{name}: '{first['annotator']}' labels row '{first['row']}' more than once: keep one of them")
    frame = frame.assign(row=_names(frame[ROW]), annotator=_names(frame["annotator"]))
    order = list(dict.fromkeys(frame[ROW]))
    wide = frame.pivot(index=ROW, columns="annotator", values="label").loc[order]
    return wide.rename_axis(columns=None).reset_index()


def _coded(
    frame: pd.DataFrame, classes: Sequence[str], name: str, names: tuple[str, ...], rows: tuple[str, ...]
) -> Annotations:
    """Annotations from names of classes."""
    said = np.column_stack([class_names(frame[column]) for column in frame.columns])
    known = tuple(classes) or sorted_classes(said.ravel())
    strange = sorted({str(each) for each in said.ravel() if each is not None and each not in set(known)})
    if strange:
        raise UserError(
            f"{name} has the label '{strange[0]}', which is no class{suggest(strange[0], known)}; leave the cell empty "
            "where an annotator said nothing"
        )
    codes = np.column_stack([codes_of(column, known) for column in said.T])
    return Annotations(known, codes, names=names, rows=rows)


def _measured(frame: pd.DataFrame, name: str) -> Array:
    """The numbers (rows, annotators) of a table, NaN where nothing was said."""
    found = [numbers(frame[column]) for column in frame.columns]
    strays = [text for each in found for text in each.strays]
    if strays:
        raise UserError(f"{name} has '{strays[0]}' among its numbers: leave the cell empty where nothing was said")
    return np.column_stack([each.values for each in found])


def _check(frame: pd.DataFrame, name: str) -> None:
    if frame.shape[1] < 2:
        raise UserError(
            f"{name} has one annotator: expected several, whose disagreement says how hard the rows are; if this is "
            "the error rate of a panel, give it as a number"
        )
    if all(each is None for column in frame.columns for each in class_names(frame[column])):
        raise UserError(f"{name} has no label: every cell is empty")


def _names(values: pd.Series) -> list[str]:
    return [str(name) for name in class_names(values)]


def _twice(rows: Sequence[str]) -> str:
    seen: set[str] = set()
    return next((row for row in rows if row in seen or seen.add(row)), "")  # type: ignore[func-returns-value]
