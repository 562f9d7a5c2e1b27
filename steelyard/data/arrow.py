"""Arrow tables, in memory, in files and in folders that Hugging Face `datasets` wrote, as plain frames.

`datasets` says in the metadata of a table which columns are classes and what the classes are called; nothing of that
library is needed to read it, and nothing in such a folder is run.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from steelyard.errors import UserError

MARKS = {b"ARROW1": "an Arrow file", b"FEA1": "a Feather file of version 1", b"\xff\xff\xff\xff": "an Arrow stream"}
SUFFIXES = (".arrow", ".feather", ".ipc")
SAVED, SEVERAL = "state.json", "dataset_dict.json"  # what `save_to_disk` writes beside the tables
WRONG = (pa.ArrowException, OSError, ValueError, TypeError, KeyError)


def is_arrow(data: bytes, name: str) -> bool:
    """Whether the content of a file is an Arrow or Feather file."""
    return data[:6] in MARKS or Path(name).suffix.lower() in SUFFIXES


def read_arrow(data: bytes, name: str) -> pa.Table:
    """The table in an Arrow file, an Arrow stream or a Feather file; UserError when it is none."""
    if data[:4] == b"FEA1":
        raise UserError(f"{name} is {MARKS[b'FEA1']}, which is no longer read: save it anew as Feather or Parquet")
    try:
        source = pa.BufferReader(data)
        whole = data[:6] == b"ARROW1"
        return (pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source)).read_all()
    except WRONG as error:
        raise UserError(f"{name} is not a readable Arrow file: {_first_line(error)}") from error


def read_parquet(data: bytes, name: str) -> pa.Table:
    """The table in a Parquet file; UserError when it is none."""
    try:
        return pyarrow.parquet.read_table(io.BytesIO(data))
    except WRONG as error:
        raise UserError(f"{name} is not a readable Parquet file: {_first_line(error)}") from error


def to_frame(table: pa.Table, name: str) -> pd.DataFrame:
    """The columns of a table; codes of named classes become their names, the index that pandas left is a column."""
    features = _features(table)
    try:
        frame: pd.DataFrame = table.to_pandas().reset_index(drop=True)
    except WRONG as error:
        raise UserError(f"{name} holds columns that cannot be read: {_first_line(error)}") from error
    for column, feature in features.items():
        if column in frame.columns and feature.get("names"):
            frame[column] = named(frame[column].to_numpy(), feature["names"])
    return frame


def labels(table: pa.Table) -> list[str]:
    """The columns that are said to hold classes."""
    return [name for name, feature in _features(table).items() if feature.get("_type") == "ClassLabel"]


def named(codes: np.ndarray, names: Any) -> pd.Categorical:
    """The class of each row by its name; a code without one is missing."""
    known = [str(name) for name in names]
    places = pd.to_numeric(pd.Series(codes), errors="coerce").fillna(-1).astype(int)
    return pd.Categorical.from_codes(places.where(places.between(0, len(known) - 1), -1).to_numpy(), known)


def saved_parts(path: Path) -> Iterator[tuple[str, pa.Table]]:
    """The parts ("" where there is only one) and tables of a folder that `save_to_disk` wrote."""
    if (path / SAVED).is_file():
        yield "", _saved(path)
        return
    for name in _json(path / SEVERAL).get("splits", []):
        yield str(name), _saved(path / Path(str(name)).name)


def is_saved(path: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return any((path / name).is_file() for name in (SAVED, SEVERAL))


def _saved(path: Path) -> pa.Table:
    names = [Path(str(each.get("filename", ""))).name for each in _json(path / SAVED).get("_data_files", [])]
    if not names:
        raise UserError(f"{path.name} names no tables in its {SAVED}: save the data set anew")
    try:
        return pa.concat_tables([read_arrow((path / name).read_bytes(), name) for name in names])
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"{path.name} lacks one of its tables ({_first_line(error)}): save the data set anew"
        ) from error


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file.name} in {file.parent.name} cannot be read: save the data set anew") from error
    return found if isinstance(found, dict) else {}


def _features(table: pa.Table) -> dict[str, dict[str, Any]]:
    """What `datasets` says of the columns, where the table comes from there."""
    try:
        told = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        features = told.get("info", {}).get("features", {})
        return {name: each for name, each in features.items() if isinstance(each, dict)}
    except (ValueError, AttributeError):
        return {}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
