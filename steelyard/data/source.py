"""Any source of data to a `Dataset`: a path, a frame or arrays; what is inferred stands in its notes."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import tables
from steelyard.data.arff import mulan_labels
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.files import located, opened, table_in_zip
from steelyard.data.foreign import unwrapped
from steelyard.data.image_dataset import array_dataset, array_like, image_dataset, images_like
from steelyard.data.image_folders import IMAGES, has_images
from steelyard.data.layout import UNSAID, Layout
from steelyard.data.series_sources import is_series, read_series, read_series_like
from steelyard.data.sources import Mix
from steelyard.data.table_dataset import table_dataset, table_like
from steelyard.data.target_frame import target_frame
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
from steelyard.problem import Head

__all__ = ["infer_task", "read", "read_like"]
Asked = str | int | Sequence[str | int] | None


def read(
    source: Any,
    target: Asked,
    *,
    test: Any = None,
    task: str | None = None,
    exclude: Sequence[str] = (),
    weights: str | int | None = None,
    order: Sequence[str] = (),
    modality: str | None = None,
    layout: Layout = UNSAID,
    mix: Mix | None = None,
) -> Dataset:
    """The training data of a source, typed and coded; rows without a usable target are left out.

    `source` is the path of a text table, Parquet, Arrow or JSON file, text of lines that begin with a label, folder of
    class folders (images or texts) or zip of any (`a.zip/b.csv` names a table inside), a pandas or polars frame, a pair
    (X, y) with a matrix or a list of texts, a matrix with `target` as the position of its column, a file or arrays of
    series, or an object of another library (`foreign.unwrapped`).
    `target` is a name or a position (from 1, or from 0 for matrices; negative from the end); images and texts in class
    folders need none, nor do tables of a text and its label. Several targets are a sequence of them, "a,b", or a matrix
    y; one column may hold lists of labels, and `order` names the classes of an ordinal target from the lowest. `test`
    is a second source whose rows become the part "test". `exclude` names columns to leave out; `weights` one that says
    how much each row counts in every metric, which then is no input. `modality` overrides what is inferred to lie in
    the source; `layout` says where series lie in a table, and whether to forecast. `mix` names the column that says
    where each row comes from, which then is no input, and the sources that dev and test are to hold.
    Raises UserError for everything that cannot be read or learnt from.
    """
    source, test = unwrapped(source, target), unwrapped(test, target)
    if is_series(source, modality, layout):
        if weights is not None:
            raise UserError(f"weights name a column of a table, but the source holds series: leave '{weights}' out")
        return read_series(source, target, test, task, tuple(exclude), layout, mix)
    if modality != "tabular" and _is_texts(source):
        _refuse_mix(mix, "texts in class folders")
        named = (*exclude, *([] if weights is None else [str(weights)]))
        return _read_texts(source, target, test, task, named, tuple(order))
    if modality != "tabular" and _is_images(source):
        _refuse_mix(mix, "images")
        if weights is not None:
            raise UserError(f"weights name a column, but the source holds images: leave '{weights}' out")
        return _read_images(source, target, test, task, exclude, tuple(order))
    if modality == "image":
        raise UserError("modality is 'image', but the source is no folder, zip or array of images: leave modality out")
    table, named = _table(source, target)
    wanted = named or (target if target is not None else table.target or None)
    if wanted is None and isinstance(source, str | os.PathLike):
        wanted, said = mulan_labels(located(os.fspath(source))[0], table.frame.columns)
        table = replace(table, notes=(*table.notes, *said))
    if not wanted and wanted != 0:
        wanted, said_target = implied_target(table)
        table = replace(table, notes=(*table.notes, said_target))
    other = None
    if test is not None:
        if _is_images(test):
            raise UserError(f"{table.name} is a table, but the test source holds images")
        names = () if table.numbered else tuple(table.frame.columns)
        labels = set(table.frame[LABEL]) if table.labels else None
        other = _table(test, wanted, names, headerless=bool(table.numbered), labels=labels)[0]
    return table_dataset(table, wanted, other, task, exclude, weights, tuple(order), mix)


def _refuse_mix(mix: Mix | None, what: str) -> None:
    if mix is not None:
        raise UserError(
            f"the source column '{mix.column}' is one of a table, but the source holds {what}: give a table that names "
            "the files in a column and their source in another"
        )


def read_like(source: Any, schema: Schema, classes: tuple[str, ...] = (), heads: tuple[Head, ...] = ()) -> Dataset:
    """The rows of a source to predict on, typed as `schema` says: every row, in the order of the source.

    The target may be absent; it is coded when every row has a known one. Extra columns are not used, missing ones
    raise UserError. Images that cannot be read are no rows but stand in `unreadable`.
    """
    source = unwrapped(source, schema.target)
    if schema.modality == "series":
        return read_series_like(source, schema, classes)
    if _is_documents(source, schema):
        return documents_like(located(os.fspath(source))[0], schema, classes)
    if not _is_images(source, flat=schema.modality == "image"):
        if schema.modality == "image" and not schema.columns:
            raise UserError("the model was trained on images, but the source is a table")
        table = _texts_like(source, schema, classes) or _table_like(source, schema)
        return table_like(table, schema, classes, heads)
    if schema.modality == "mixed":
        raise UserError("the model was trained on a table with images in it, but the source holds images only")
    if isinstance(source, str | os.PathLike):
        return images_like(located(os.fspath(source))[0], schema, classes)
    x, y = _pair(source)
    return array_like(
        np.asarray(x), None if y is None else target_frame(y, schema.target_columns), schema, classes, heads
    )


def _read_images(
    source: Any, target: Asked, test: Any, task: str | None, exclude: Sequence[str], order: tuple[str, ...]
) -> Dataset:
    if exclude:
        raise UserError(f"exclude names columns, but the source holds images: leave '{exclude[0]}' out")
    if test is not None and not _is_images(test):
        raise UserError("the source holds images, but the test source does not")
    if isinstance(source, str | os.PathLike):
        other = None if test is None else located(os.fspath(test))[0]
        return image_dataset(located(os.fspath(source))[0], other, str(target or "class"), task, order)
    x, y = _labelled_images(source, target)
    more = None if test is None else _labelled_images(test, tuple(y.columns))
    return array_dataset(x, y, task, more, order)


def _read_texts(
    source: Any, target: Asked, test: Any, task: str | None, named: Sequence[str], order: tuple[str, ...]
) -> Dataset:
    if named:
        raise UserError(f"there is no column '{named[0]}': the source holds texts in class folders")
    if test is not None and not _is_texts(test):
        raise UserError("the source holds texts in class folders, but the test source does not")
    other = None if test is None else located(os.fspath(test))[0]
    return text_dataset(located(os.fspath(source))[0], other, str(target or CLASS), task, order)


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
    targets = schema.target_columns
    return _table(source, targets, (*names, *targets), headerless=_numbered(names))[0]


def _labelled_images(source: Any, target: Asked) -> tuple[np.ndarray, pd.DataFrame]:
    x, y = _pair(source)
    if y is None:
        raise UserError(f"an array of images {np.shape(x)} needs a target for each: give the pair (X, y)")
    if len(x) != len(y):
        raise UserError(f"X has {len(x)} images but y has {len(y)} values: expected one for each")
    return np.asarray(x), target_frame(y, target, "class")


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


def raw_table(source: Any, expected: tuple[str, ...] = ()) -> tables.RawTable:
    """The table in a source as it is; `expected` are columns by which a header is known."""
    return _table(source, None, expected or ("",))[0]


def _table(
    source: Any,
    target: Asked,
    expected: tuple[str, ...] = (),
    headerless: bool = False,
    labels: set[str] | None = None,
) -> tuple[tables.RawTable, tuple[str, ...]]:
    """The raw table, and the names of the targets when the source is a pair (X, y).

    `labels` are known to begin the lines of a text.
    """
    if isinstance(source, str | os.PathLike):
        path, inside = located(os.fspath(source))
        data, name = _content(path, inside)
        if labels is not None or (not expected and (target is None or target == LABEL)):
            lines = labelled_lines(data, name, labels)
            if lines is not None:
                return lines, (LABEL,)
        table = tables.from_bytes(data, name, expected or _names(target), headerless)
        zipped = inside or path.suffix.lower() == ".zip"
        return replace(table, folder=None if zipped else path.parent), ()
    if isinstance(source, tables.RawTable):
        return source, ()
    if tables.is_table(source):
        return tables.from_frame(source), ()
    x, y = _pair(source)
    if are_strings(x):
        return _with_target(of_strings(x), y, target)
    x = np.asarray(x) if isinstance(x, list) else x
    if isinstance(x, np.ndarray) and x.ndim != 2:
        raise UserError(f"an array needs shape (rows, columns) or to be images (n, h, w), got {x.shape}")
    if not isinstance(x, np.ndarray) and not tables.is_table(x):
        raise UserError(f"cannot read data from {type(source).__name__}: expected a path, a frame or arrays (X, y)")
    return _with_target(tables.from_array(x) if isinstance(x, np.ndarray) else tables.from_frame(x), y, target)


def _with_target(table: tables.RawTable, y: Any, target: Asked) -> tuple[tables.RawTable, tuple[str, ...]]:
    """The table with the values of the targets, where there are any, and what those columns are called."""
    if y is None:
        return table, ()
    if len(y) != len(table.frame):
        raise UserError(f"X has {len(table.frame)} rows but y has {len(y)} values: expected one for each")
    given = target_frame(y, target)
    for name in given.columns:
        if name in table.frame.columns:
            raise UserError(f"X has a column '{name}', the name of the target: give the target another name")
    return replace(table, frame=pd.concat([table.frame, given], axis=1), numbered=""), tuple(given.columns)


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


def _names(target: Asked) -> tuple[str, ...]:
    """The names among what was asked for, where it may be names joined by commas."""
    if isinstance(target, str):
        return (target, *target.split(",")) if "," in target else (target,)
    return () if target is None or isinstance(target, int) else tuple(str(each) for each in target)


def _numbered(names: tuple[str, ...]) -> bool:
    return all(name.startswith("column_") and name[7:].isdecimal() for name in names)
