"""Predictions per example of a trial, on dev, train-dev and a sample of its train rows: what every question asks of."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


@dataclass(frozen=True)
class Predictions:
    """`dev_rows` (n,) are row numbers of the pool, `dev` (n, classes) or (n,) what was predicted; so for train.

    `train_dev` are predictions on rows like those of train that were held out of it; empty unless sources are mixed.
    """

    dev_rows: np.ndarray
    dev: np.ndarray
    train_rows: np.ndarray
    train: np.ndarray
    train_dev_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    train_dev: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def save(self, file: Path) -> None:
        """Write to a safetensors file, all of it or nothing."""
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        save_file({name: np.ascontiguousarray(values) for name, values in vars(self).items()}, partial)
        partial.replace(file)

    @classmethod
    def load(cls, file: Path) -> "Predictions":
        return cls(**load_file(file))
