"""A data set as one matrix of numbers that two sources are compared by, whatever it holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset
from steelyard.diagnosis.shift.columns import Block, Kind, category, date, number
from steelyard.diagnosis.shift.pictures import picture_blocks
from steelyard.diagnosis.shift.words import text_blocks
from steelyard.errors import UserError

Array = np.ndarray
POINTS, SHAPES = 32, 16  # steps to which series are brought, and the components that are kept of them
SUMS = ("mean", "spread", "least", "greatest", "slope", "mean step", "share missing")

__all__ = ["Block", "Features", "Kind", "features_of", "joined"]


@dataclass(frozen=True, eq=False)
class Features:
    """The matrix float64 (n, d), NaN where a number is missing; of every column its name, its owner and its kind.

    The owner is the column of the source, the word or the statistic of an image that it stands for. Kinds: "number",
    "date", "level" (0 or 1), "missing" (0 or 1), "word" (0 or 1), "component", which has no meaning of its own.
    """

    matrix: Array
    names: tuple[str, ...]
    owners: tuple[str, ...]
    kinds: tuple[Kind, ...]

    def of(self, owner: str) -> list[int]:
        """The columns of the matrix that an owner has."""
        return [place for place, name in enumerate(self.owners) if name == owner]

    @property
    def things(self) -> tuple[str, ...]:
        """The owners, each once."""
        return tuple(dict.fromkeys(self.owners))

    def with_column(self, name: str, values: Array) -> "Features":
        """The same with a column of numbers (n,) more, or several (n, k)."""
        more = values.reshape(len(self.matrix), -1)
        matrix = np.hstack([self.matrix, more])
        names = (name,) * more.shape[1]
        kinds: list[Kind] = ["number"] * more.shape[1]
        return Features(matrix, (*self.names, *names), (*self.owners, *names), (*self.kinds, *kinds))

    def take(self, rows: Array) -> "Features":
        """The features of those rows."""
        return replace(self, matrix=self.matrix[rows])


def features_of(dataset: Dataset) -> Features:
    """What a data set is compared by: table columns with their missing values, statistics and components of the rest.

    Numbers stand as they are, dates as days since 1970 with month, weekday and hour; categories as their frequent
    levels; texts as lengths, frequent words and components of tf-idf; images as statistics of light and colour and
    components of their pixels at low resolution; series as what sums up each channel and components of their course.
    Columns that hold one value only are left out. UserError where nothing is left.
    """
    blocks: list[Block] = []
    if dataset.frame is not None:
        for column in dataset.schema.columns:
            blocks += _table_block(dataset.frame, column)
        texts = [column.name for column in dataset.schema.columns if column.kind == "text"]
        blocks += text_blocks([dataset.frame[name].fillna("").astype(str).tolist() for name in texts], texts)
    if dataset.images is not None:
        blocks += picture_blocks(dataset.images)
    if dataset.series is not None:
        blocks += _series_blocks(dataset.series, [column.name for column in dataset.schema.columns])
    found = [each for each in blocks if _varies(each.values)]
    if not found:
        raise UserError(f"{dataset.name} has nothing to compare: every input holds one value only")
    matrix = np.column_stack([each.values for each in found]).astype(np.float64)
    names, owners, kinds = ([getattr(each, part) for each in found] for part in ("name", "owner", "kind"))
    return Features(matrix, tuple(names), tuple(owners), tuple(kinds))


def joined(one: Dataset, other: Dataset) -> Dataset:
    """The rows of both under each other, without targets, parts and weights."""
    frame, images, series = None, None, None
    if one.frame is not None and other.frame is not None:
        frame = pd.concat([one.frame, other.frame], ignore_index=True)
    if one.images is not None and other.images is not None:
        images = np.concatenate([np.asarray(one.images), np.asarray(other.images)])
    if one.series is not None and other.series is not None:
        length = max(one.series.shape[2], other.series.shape[2])
        series = np.concatenate([_padded(one.series, length), _padded(other.series, length)])
    if frame is None and images is None and series is None:
        raise UserError(f"{one.name} and {other.name} do not hold the same kind of data: they cannot be compared")
    rest: dict[str, Any] = dict.fromkeys(("target", "part", "groups", "weights", "order"))
    return replace(one, frame=frame, images=images, series=series, origin=(), **rest)


def _table_block(frame: pd.DataFrame, column: Column) -> list[Block]:
    values = frame[column.name]
    if column.kind == "number":
        return number(column.name, values)
    if column.kind == "date":
        return date(column.name, values)
    return category(column.name, values) if column.kind == "category" else []


def _series_blocks(values: Array, channels: Sequence[str]) -> list[Block]:
    from steelyard.data.course import lengths, resampled, statistics
    from steelyard.diagnosis.shift.columns import components

    longest = max(1, int(lengths(values).max()))
    sums = statistics(values, longest)
    names = [f"{sum_} of {channel}" for sum_ in SUMS for channel in channels]
    blocks = [Block(name, name, "number", column) for name, column in zip(names, sums.T, strict=False)]
    blocks.append(Block("length", "length", "number", sums[:, -1] * longest))
    course = resampled(values, POINTS).reshape(len(values), -1)
    return blocks + components("course", course, SHAPES)


def _padded(values: Array, length: int) -> Array:
    room = np.full((*values.shape[:2], length - values.shape[2]), np.nan, values.dtype)
    return np.concatenate([values, room], axis=2)


def _varies(values: Array) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool(known.min() < known.max())
