"""What a fitted preparation hands to models: arrays with one row an example, and the shape networks are built for."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class ImageShape:
    """uint8 images (n, channels, height, width) with the mean and spread per channel on train, in 0..255."""

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Prepared(Protocol):
    """A preparation fitted on train rows: the same transform everywhere, saved with the model as plain values."""

    @property
    def shape(self) -> TableShape | ImageShape: ...

    def transform(self, dataset: Dataset) -> Inputs: ...

    def matrix(self, dataset: Dataset) -> np.ndarray:
        """The inputs as one float32 matrix (n, features) for classical models."""
        ...

    def to_dict(self) -> dict[str, Any]: ...
