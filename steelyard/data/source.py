"""Any source of data to a `Dataset`: a path, a frame or arrays; what is inferred stands in its notes."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import tables
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.files import located, opened, table_in_zip
from steelyard.data.image_dataset import array_dataset, array_like, image_dataset, images_like
from steelyard.data.image_folders import IMAGES, has_images
from steelyard.data.layout import UNSAID, Layout
from steelyard.data.series_sources import is_series, read_series, read_series_like
from steelyard.data.table_dataset import table_dataset, table_like
from steelyard.data.targets import infer_task
from steelyard.errors import UserError

__all__ = ["infer_task", "read", "read_like"]


def read(
    source: Any,
    target: str | int | None,
    *,
    test: Any = None,
    task: str | None = None,
    exclude: Sequence[str] = (),
    weights: str | int | None = None,
    modality: str | None = None,
    layout: Layout = UNSAID,
) -> Dataset:
    """The training data of a source, typed and coded; rows without a usable target are left out.

    `source` is the path of a text table, Parquet file, folder of class folders or zip of either (`a.zip/b.csv` names
    a table inside), a pandas or polars frame, a pair (X, y) or a matrix with `target` as the position of its column.
    `target` is a name or a position (from 1, or from 0 for matrices; negative from the end); images in class folders
    need none. `test` is a second source whose rows become the part "test". `exclude` names columns to leave out;
    `weights` one that says how much each row counts in every metric, which then is no input. `modality` overrides what
    is inferred to lie in the source; `layout` says where series lie in a table, and whether to forecast.
    Raises UserError for everything that cannot be read or learnt from.
    """
    if is_series(source, modality, layout):
        if weights is not None:
            raise UserError(f"weights name a column of a table, but the source holds series: leave '{weights}' out")
        return read_series(source, target, test, task, tuple(exclude), layout)
    if modality != "tabular" and _is_images(source):
        if weights is not None:
            raise UserError(f"weights name a column, but the source holds images: leave '{weights}' out")
        return _read_images(source, target, test, task, exclude)
    table, named = _table(source, target)
    wanted = named if named is not None else target
    if wanted is None:
        raise UserError(f"{table.name} is a table: name the column to predict as target")
    other = None
    if test is not None:
        if _is_images(test):
            raise UserError(f"{table.name} is a table, but the test source holds images")
        names = () if table.numbered else tuple(table.frame.columns)
        other = _table(test, wanted, names, headerless=bool(table.numbered))[0]
    return table_dataset(table, wanted, other, task, exclude, weights)


def read_like(source: Any, schema: Schema, classes: tuple[str, ...] = ()) -> Dataset:
    """The rows of a source to predict on, typed as `schema` says: every row, in the order of the source.

    The target may be absent; it is coded when every row has a known one. Extra columns are not used, missing ones
    raise UserError. Images that cannot be read are no rows but stand in `unreadable`.
    """
    if schema.modality == "series":
        return read_series_like(source, schema, classes)
    if not _is_images(source, flat=schema.modality == "image"):
        if schema.modality == "image":
            raise UserError("the model was trained on images, but the source is a table")
        names = tuple(column.name for column in schema.columns)
        table, _ = _table(source, schema.target, (*names, schema.target), headerless=_numbered(names))
        return table_like(table, schema, classes)
    if isinstance(source, str | os.PathLike):
        return images_like(located(os.fspath(source))[0], schema, classes)
    x, y = _pair(source)
    return array_like(np.asarray(x), None if y is None else _series(y), schema, classes)


def _read_images(source: Any, target: str | int | None, test: Any, task: str | None, exclude: Sequence[str]) -> Dataset:
    if exclude:
        raise UserError(f"exclude names columns, but the source holds images: leave '{exclude[0]}' out")
    if test is not None and not _is_images(test):
        raise UserError("the source holds images, but the test source does not")
    if isinstance(source, str | os.PathLike):
        other = None if test is None else located(os.fspath(test))[0]
        return image_dataset(located(os.fspath(source))[0], other, str(target or "class"), task)
    x, y = _labelled_images(source)
    more = None if test is None else _labelled_images(test)
    return array_dataset(x, y, _target_name(target, "class"), task, more)


def _labelled_images(source: Any) -> tuple[np.ndarray, pd.Series]:
    x, y = _pair(source)
    if y is None:
        raise UserError(f"an array of images {np.shape(x)} needs a target for each: give the pair (X, y)")
    if len(x) != len(y):
        raise UserError(f"X has {len(x)} images but y has {len(y)} values: expected one for each")
    return np.asarray(x), _series(y)


def _is_images(source: Any, flat: bool = False) -> bool:
    """Whether a source holds images; `flat` takes a single image file too."""
    if isinstance(source, str | os.PathLike):
        path, inside = located(os.fspath(source))
        if inside:
            return False
        if path.is_file() and path.suffix.lower() in IMAGES:
            if flat:
                return True
            raise UserError(
                f"{path.name} is a single image: expected a folder with one folder of images for each class"
            )
        if path.is_file() and path.suffix.lower() != ".zip":
            return False
        with opened(path) as tree:
            found = has_images(tree.paths)
            if not found and path.is_dir():
                listed = ", ".join(tree.paths[:4]) or "it is empty"
                raise UserError(f"folder {path.name} holds no images ({listed}): for a table give the path of its file")
            return found
    x, _ = _pair(source)
    return isinstance(x, np.ndarray) and x.ndim in {3, 4}


def _table(
    source: Any, target: str | int | None, expected: tuple[str, ...] = (), headerless: bool = False
) -> tuple[tables.RawTable, str | None]:
    """The raw table, and the name of the target when the source is a pair (X, y)."""
    if isinstance(source, str | os.PathLike):
        hint = expected or ((target,) if isinstance(target, str) else ())
        return table_file(*located(os.fspath(source)), hint, headerless), None
    if tables.is_table(source):
        return tables.from_frame(source), None
    x, y = _pair(source)
    x = np.asarray(x) if isinstance(x, list) else x
    if isinstance(x, np.ndarray) and x.ndim != 2:
        raise UserError(f"an array needs shape (rows, columns) or to be images (n, h, w), got {x.shape}")
    if not isinstance(x, np.ndarray) and not tables.is_table(x):
        raise UserError(f"cannot read data from {type(source).__name__}: expected a path, a frame or arrays (X, y)")
    table = tables.from_array(x) if isinstance(x, np.ndarray) else tables.from_frame(x)
    if y is None:
        return table, None
    if len(y) != len(table.frame):
        raise UserError(f"X has {len(table.frame)} rows but y has {len(y)} values: expected one for each")
    name = _target_name(target, getattr(y, "name", None) or "y")
    if name in table.frame.columns:
        raise UserError(f"X has a column '{name}', the name of the target: give the target another name")
    return replace(table, frame=table.frame.assign(**{name: _series(y).to_numpy()}), numbered=""), name


def table_file(path: Path, inside: str, expected: tuple[str, ...], headerless: bool) -> tables.RawTable:
    """The raw table in a file, or in a zip."""
    if inside or path.suffix.lower() == ".zip":
        name, data = table_in_zip(path, inside)
        return tables.from_bytes(data, Path(name).name, expected, headerless)
    try:
        return tables.from_bytes(path.read_bytes(), path.name, expected, headerless)
    except OSError as error:
        raise UserError(f"cannot read {path.name}: {error.strerror}") from error


def _pair(source: Any) -> tuple[Any, Any]:
    return source if isinstance(source, tuple) and len(source) == 2 else (source, None)


def _series(y: Any) -> pd.Series:
    if hasattr(y, "to_pandas"):
        y = y.to_pandas()
    if isinstance(y, pd.Series):
        return y.reset_index(drop=True)
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise UserError(f"y needs one value for each row, got shape {values.shape}")
    return pd.Series(values)


def _target_name(target: str | int | None, default: str) -> str:
    return target if isinstance(target, str) and target else str(default)


def _numbered(names: tuple[str, ...]) -> bool:
    return all(name.startswith("column_") and name[7:].isdecimal() for name in names)
