"""What a fitted preparation hands to models: arrays with one row an example, and the shape networks are built for."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from steelyard.data.dataset import Dataset

Inputs = tuple[np.ndarray, ...]  # arrays with the same first axis: one row an example


@dataclass(frozen=True)
class TableShape:
    """`numbers` float32 columns (n, numbers); one int64 column (n, len(cardinalities)) per category.

    Code 0 of every category stands for missing or unseen; codes run below the cardinality.
    """

    numbers: int
    cardinalities: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many columns the numbers and the 0/1 columns of all levels but code 0 make together."""
        return self.numbers + sum(self.cardinalities) - len(self.cardinalities)


@dataclass(frozen=True)
class ImageShape:
    """uint8 images (n, channels, height, width) with the mean and spread per channel on train, in 0..255."""

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class TextShape:
    """Token ids int64 (n, length) below `tokens`, padded at the end with 0; 1 is unknown, 2 masked, 3 a separator.

    `width` is the size of pre-trained vectors of the tokens, 0 without any; `vectors` (tokens, width) are their values
    while a network is built for the first time, None where its weights are loaded.
    """

    tokens: int
    length: int
    width: int = 0
    vectors: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class SeriesShape:
    """float32 series (n, channels, length), scaled by what train holds; NaN where missing and behind the end."""

    channels: int
    length: int


@dataclass(frozen=True)
class MixedShape:
    """Inputs of several kinds: the arrays of `branches[0]`, then those of the next one; `names` as the recipe's."""

    names: tuple[str, ...]
    branches: tuple["Shape", ...]


Shape = TableShape | ImageShape | TextShape | SeriesShape | MixedShape


def arrays(shape: Shape) -> int:
    """How many input arrays a shape stands for."""
    if isinstance(shape, MixedShape):
        return sum(map(arrays, shape.branches))
    return 2 if isinstance(shape, TableShape) else 1


class Prepared(Protocol):
    """A preparation fitted on train rows: the same transform everywhere, saved with the model as plain values."""

    @property
    def shape(self) -> Shape: ...

    def transform(self, dataset: Dataset) -> Inputs: ...

    def matrix(self, dataset: Dataset) -> np.ndarray:
        """The inputs as one float32 matrix (n, features) for classical models."""
        ...

    def to_dict(self) -> dict[str, Any]: ...
