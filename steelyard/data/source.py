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
from steelyard.data.foreign import unwrapped
from steelyard.data.image_dataset import array_dataset, array_like, image_dataset, images_like
from steelyard.data.image_folders import IMAGES, has_images
from steelyard.data.table_dataset import table_dataset, table_like
from steelyard.data.targets import infer_task
from steelyard.data.text_files import (
    CLASS,
    DOCUMENT,
    ENDINGS,
    LABEL,
    are_strings,
    documents_like,
    implied_target,
    is_text_folder,
    labelled_lines,
    lines_like,
    of_strings,
    text_dataset,
)
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
) -> Dataset:
    """The training data of a source, typed and coded; rows without a usable target are left out.

    `source` is the path of a text table, Parquet, Arrow or JSON file, text of lines that begin with a label, folder of
    class folders (images or texts) or zip of any (`a.zip/b.csv` names a table inside), a pandas or polars frame, a pair
    (X, y) with a matrix or a list of texts, a matrix with `target` as the position of its column, or an object of
    another library (`foreign.unwrapped`).
    `target` is a name or a position (from 1, or from 0 for matrices; negative from the end); images and texts in
    class folders need none, nor do tables of a text and its label. `test` is a second source whose rows become the
    part "test". `exclude` names columns to leave out; `weights` one that says how much each row counts in every
    metric, which then is no input.
    Raises UserError for everything that cannot be read or learnt from.
    """
    source, test = unwrapped(source, target), unwrapped(test, target)
    if _is_texts(source):
        return _read_texts(source, target, test, task, (*exclude, *([] if weights is None else [str(weights)])))
    if _is_images(source):
        if weights is not None:
            raise UserError(f"weights name a column, but the source holds images: leave '{weights}' out")
        return _read_images(source, target, test, task, exclude)
    table, named = _table(source, target)
    wanted = named if named is not None else target if target is not None else table.target or None
    if wanted is None:
        wanted, said = implied_target(table)
        table = replace(table, notes=(*table.notes, said))
    other = None
    if test is not None:
        if _is_images(test):
            raise UserError(f"{table.name} is a table, but the test source holds images")
        names = () if table.numbered else tuple(table.frame.columns)
        labels = set(table.frame[wanted]) if table.labels else None
        other = _table(test, wanted, names, headerless=bool(table.numbered), labels=labels)[0]
    return table_dataset(table, wanted, other, task, exclude, weights)


def read_like(source: Any, schema: Schema, classes: tuple[str, ...] = ()) -> Dataset:
    """The rows of a source to predict on, typed as `schema` says: every row, in the order of the source.

    The target may be absent; it is coded when every row has a known one. Extra columns are not used, missing ones
    raise UserError. Images that cannot be read are no rows but stand in `unreadable`.
    """
    source = unwrapped(source, schema.target)
    if _is_documents(source, schema):
        return documents_like(located(os.fspath(source))[0], schema, classes)
    if not _is_images(source, flat=schema.modality == "image"):
        if schema.modality == "image" and not schema.columns:
            raise UserError("the model was trained on images, but the source is a table")
        return table_like(_texts_like(source, schema, classes) or _table_like(source, schema), schema, classes)
    if schema.modality == "mixed":
        raise UserError("the model was trained on a table with images in it, but the source holds images only")
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


def _read_texts(source: Any, target: str | int | None, test: Any, task: str | None, named: Sequence[str]) -> Dataset:
    if named:
        raise UserError(f"there is no column '{named[0]}': the source holds texts in class folders")
    if test is not None and not _is_texts(test):
        raise UserError("the source holds texts in class folders, but the test source does not")
    other = None if test is None else located(os.fspath(test))[0]
    return text_dataset(located(os.fspath(source))[0], other, str(target or CLASS), task)


def _is_texts(source: Any) -> bool:
    """Whether a source is a folder, or a zip, of texts in class folders."""
    return isinstance(source, str | os.PathLike) and _holds_texts(*located(os.fspath(source)))


def _is_documents(source: Any, schema: Schema) -> bool:
    """Whether a source holds one text a file, to be predicted on by a model that was trained on texts."""
    if schema.modality != "text" or len(schema.columns) != 1 or not isinstance(source, str | os.PathLike):
        return False
    path, inside = located(os.fspath(source))
    single = path.is_file() and path.suffix.lower() in ENDINGS and schema.columns[0].name == DOCUMENT
    return not inside and (single or _holds_texts(path, inside, flat=True))


def _holds_texts(path: Path, inside: str, flat: bool = False) -> bool:
    if inside or (path.is_file() and path.suffix.lower() != ".zip"):
        return False
    with opened(path) as tree:
        return is_text_folder(tree, flat)


def _texts_like(source: Any, schema: Schema, classes: tuple[str, ...]) -> tables.RawTable | None:
    """The table of a list or of lines of texts, for a model that was trained on one column of texts."""
    if schema.modality != "text":
        return None
    x, y = _pair(source)
    if y is None and are_strings(x) and len(schema.columns) == 1:
        return of_strings(x, schema.columns[0].name)
    if not isinstance(source, str | os.PathLike):
        return None
    path, inside = located(os.fspath(source))
    return lines_like(*_content(path, inside), schema, classes)


def _table_like(source: Any, schema: Schema) -> tables.RawTable:
    names = tuple(column.name for column in schema.columns)
    return _table(source, schema.target, (*names, schema.target), headerless=_numbered(names))[0]


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
    source: Any,
    target: str | int | None,
    expected: tuple[str, ...] = (),
    headerless: bool = False,
    labels: set[str] | None = None,
) -> tuple[tables.RawTable, str | None]:
    """The raw table, and the name of the target when the source is a pair (X, y); `labels` are known to begin lines."""
    if isinstance(source, str | os.PathLike):
        hint = expected or ((target,) if isinstance(target, str) else ())
        path, inside = located(os.fspath(source))
        data, name = _content(path, inside)
        if labels is not None or (not expected and target in {None, LABEL}):
            lines = labelled_lines(data, name, labels)
            if lines is not None:
                return lines, LABEL
        zipped = inside or path.suffix.lower() == ".zip"
        return replace(tables.from_bytes(data, name, hint, headerless), folder=None if zipped else path.parent), None
    if isinstance(source, tables.RawTable):
        return source, None
    if tables.is_table(source):
        return tables.from_frame(source), None
    x, y = _pair(source)
    if are_strings(x):
        return _with_target(of_strings(x), y, target)
    x = np.asarray(x) if isinstance(x, list) else x
    if isinstance(x, np.ndarray) and x.ndim != 2:
        raise UserError(f"an array needs shape (rows, columns) or to be images (n, h, w), got {x.shape}")
    if not isinstance(x, np.ndarray) and not tables.is_table(x):
        raise UserError(f"cannot read data from {type(source).__name__}: expected a path, a frame or arrays (X, y)")
    return _with_target(tables.from_array(x) if isinstance(x, np.ndarray) else tables.from_frame(x), y, target)


def _with_target(table: tables.RawTable, y: Any, target: str | int | None) -> tuple[tables.RawTable, str | None]:
    """The table with the values of the target, where there are any, and what that column is called."""
    if y is None:
        return table, None
    if len(y) != len(table.frame):
        raise UserError(f"X has {len(table.frame)} rows but y has {len(y)} values: expected one for each")
    name = _target_name(target, getattr(y, "name", None) or "y")
    if name in table.frame.columns:
        raise UserError(f"X has a column '{name}', the name of the target: give the target another name")
    return replace(table, frame=table.frame.assign(**{name: _series(y).to_numpy()}), numbered=""), name


def _content(path: Path, inside: str) -> tuple[bytes, str]:
    """The bytes and the name of a file, or of the table that a zip holds."""
    if inside or path.suffix.lower() == ".zip":
        name, data = table_in_zip(path, inside)
        return data, Path(name).name
    try:
        return path.read_bytes(), path.name
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
