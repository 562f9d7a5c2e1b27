"""Any source of series to a `Dataset`: files of the archive, arrays, long tables, the windows of a forecast."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import tables
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.files import located
from steelyard.data.layout import UNSAID, Layout
from steelyard.data.series import RawSeries, padded, series_dataset, series_like
from steelyard.data.series_files import is_series_file, read_series_file
from steelyard.data.sources import Mix
from steelyard.errors import UserError

MODALITIES = ("tabular", "image", "text", "series")
FAR = 4  # sides of an array that differ by more are rather steps and channels than an image


def is_series(source: Any, modality: str | None = None, layout: Layout = UNSAID) -> bool:
    """Whether a source holds series; what was said about it decides, then its name or its numbers.

    An array (n, channels, time) could hold images as well: it is one of series where its numbers cannot be pixels.
    """
    if modality is not None:
        if modality not in MODALITIES:
            raise UserError(f"modality is one of {', '.join(MODALITIES)}, got '{modality}'")
        if layout.given and modality != "series":
            raise UserError(f"id, time and horizon describe series, but modality is '{modality}': leave one out")
        return modality == "series"
    if layout.given:
        return True
    if isinstance(source, str | os.PathLike):
        path, inside = located(os.fspath(source))
        return not inside and is_series_file(path)
    x = source[0] if isinstance(source, tuple) and len(source) == 2 else source
    if isinstance(x, list) and x and all(isinstance(case, np.ndarray) and case.ndim in {1, 2} for case in x):
        return True
    return isinstance(x, np.ndarray) and x.ndim == 3 and _no_pixels(x)


def _no_pixels(x: np.ndarray) -> bool:
    """Whether the numbers of an array (n, a, b) cannot be pixels; UserError where nobody could tell."""
    if x.dtype.kind != "f" or x.size == 0 or np.isnan(x).all():
        return False
    gaps = bool(np.isnan(x).any())
    low, high = np.nanmin(x), np.nanmax(x)
    whole = not gaps and bool(np.all(x == np.floor(x)))
    pixels = not gaps and low >= 0 and (high <= 1 or (whole and high <= 255))
    long = max(x.shape[1:]) > FAR * min(x.shape[1:])
    if pixels and long and not whole:
        raise UserError(
            f"an array {x.shape} of fractions may hold images or series (n, channels, time): "
            "say modality='series' or modality='image'"
        )
    if not pixels and not gaps and not long:
        raise UserError(
            f"an array {x.shape} of numbers from {low:g} to {high:g} holds no pixels: if these are images, scale them "
            "to 0..255; if they are series (n, channels, time), say modality='series'"
        )
    return not pixels


def read_series(
    source: Any,
    target: str | int | Sequence[str | int] | None,
    test: Any = None,
    task: str | None = None,
    exclude: tuple[str, ...] = (),
    layout: Layout = UNSAID,
    mix: Mix | None = None,
) -> Dataset:
    """The training data of a source of series."""
    from steelyard.data import forecast, long_tables

    if isinstance(target, Sequence) and not isinstance(target, str):
        if len(target) != 1:
            raise UserError(f"series are learnt for one target, got {len(target)}: name one")
        target = target[0]
    if layout.given:
        if target is None:
            raise UserError("series in a table need a column to predict: name it as target")
        table = _table(source, layout)
        other = None if test is None else _table(test, layout)
        read = forecast.forecast_dataset if layout.forecasts else long_tables.long_dataset
        return read(table, target, other, task, exclude, layout, mix)
    if mix is not None:
        raise UserError(
            f"the source column '{mix.column}' is one of a table, but the source holds series: give a table with id, "
            "time and that column"
        )
    if exclude:
        raise UserError(f"exclude names columns, but the source holds series: leave '{exclude[0]}' out")
    name = target if isinstance(target, str) and target else "class"
    raw = raw_series(source)
    return series_dataset(raw, None if test is None else raw_series(test), name, task)


def read_series_like(source: Any, schema: Schema, classes: tuple[str, ...] = ()) -> Dataset:
    """The series of a source to predict on, read as the training data was."""
    from steelyard.data import forecast, long_tables

    if schema.layout.forecasts:
        return forecast.forecast_like(_table(source, schema.layout), schema)
    if schema.layout.given:
        return long_tables.long_like(_table(source, schema.layout), schema, classes)
    return series_like(raw_series(source), schema, classes)


def raw_series(source: Any) -> RawSeries:
    """The cases of a file or of arrays."""
    if isinstance(source, str | os.PathLike):
        path, inside = located(os.fspath(source))
        if inside or not path.is_file() or path.suffix.lower() == ".zip":
            raise UserError(f"{path.name} is no file of series: expected X.ts, or lines with a label and values")
        return read_series_file(path)
    x, y = source if isinstance(source, tuple) and len(source) == 2 else (source, None)
    if tables.is_table(x) or isinstance(x, tables.RawTable):
        raise UserError("series in a table need to be told apart: name the columns as id and time, or a horizon")
    return _from_arrays(x, y)


def _from_arrays(x: Any, y: Any) -> RawSeries:
    """Cases from (n, channels, time), (n, time), or a list of (channels, time) or (time,) of any lengths."""
    try:
        cases = [np.atleast_2d(np.asarray(case, np.float32)) for case in x]
    except (TypeError, ValueError):
        raise UserError(f"cannot read series from {type(x).__name__}: expected numbers (n, channels, time)") from None
    wrong = next((case.shape for case in cases if case.ndim != 2), None)
    if not cases or wrong:
        raise UserError(f"series need shape (n, time) or (n, channels, time), got {np.shape(x)}")
    if len({len(case) for case in cases}) > 1:
        raise UserError(f"every series needs as many channels, got {sorted({len(case) for case in cases})}")
    target = None
    if y is not None:
        target = pd.Series(y.to_pandas() if hasattr(y, "to_pandas") else y).reset_index(drop=True)
        if len(target) != len(cases):
            raise UserError(f"X has {len(cases)} series but y has {len(target)} values: expected one for each")
    count = len(cases[0])
    channels = tuple(f"channel {i + 1}" for i in range(count)) if count > 1 else ("value",)
    origin = tuple(map(str, range(1, len(cases) + 1)))
    return RawSeries("array", padded(cases, count), target, channels, origin)


def _table(source: Any, layout: Layout) -> tables.RawTable:
    from steelyard.data.source import raw_table

    if isinstance(source, str | os.PathLike):
        path, _ = located(os.fspath(source))
        if path.is_dir():
            raise UserError(f"{path.name} is a folder: id, time and horizon name the columns of a table")
    elif not tables.is_table(source) and not isinstance(source, tables.RawTable):
        kind = type(source).__name__
        raise UserError(f"id, time and horizon name columns, but the source is {kind}: give a table")
    return raw_table(source, tuple(name for name in (layout.id, layout.time) if name is not None))
