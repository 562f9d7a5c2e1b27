"""Series to arrays: scaled by what train holds, gaps kept for networks and bridged for classical models."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from steelyard.data.course import lengths, resampled, statistics
from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Inputs, SeriesShape
from steelyard.errors import UserError
from steelyard.knobs import knob
from steelyard.parts import Preparation

Array = np.ndarray
Scale = Literal["channel", "case", "last", "none"]
Base = Literal["none", "last", "season"]
SEASON = "one season before"  # begins the name of the channel that holds what a seasonal forecast would say
POINTS = 64  # of a channel that classical models see; they get as many channels as fit into FEATURES
FEATURES = 2_048
SHORTEST = 9  # steps of the series that convolutions of nine weights can be laid over


@dataclass(frozen=True)
class SeriesPreparation(Preparation):
    """How series become arrays.

    `scaling`: every channel by its mean and spread on train ("channel"), and after that every case by its own ("case",
    the z-normalisation of the UCR archive); or by what it differs from its last value ("last": levels that drift do
    not leave the range that was learnt; the level itself follows as one channel more, bent to stay within ±3).
    `base` is what a forecast is learnt as the difference from: the last value, the one a season before, or nothing.
    `length` is the number of steps that longer series are averaged down to; 0 keeps them. `matrix` is what classical
    models see: up to 64 points a channel and statistics ("summary"), or the whole series at one length (n, channels,
    length) for those that know time ("series").
    """

    scaling: Scale = "channel"
    base: Base = "none"
    length: int = knob(0, 0, 100_000)
    form: Literal["summary", "series"] = "summary"
    target: Literal["standard", "log"] = "standard"

    def fit(self, dataset: Dataset) -> "FittedSeries":
        """The preparation fitted on the rows given: hand it train rows only."""
        values = _series(dataset)
        names = [column.name for column in dataset.schema.columns]
        season = next((i for i, name in enumerate(names) if name.startswith(SEASON)), -1)
        mean, std = _moments(values)
        spread = _moments(values - _anchors(values, season))[1] if self.scaling == "last" else std
        longest = max(1, int(lengths(values).max()))
        shape = SeriesShape(len(names) + (self.scaling == "last"), min(longest, self.length or longest))
        return FittedSeries(self, shape, tuple(mean.tolist()), tuple(std.tolist()), tuple(spread.tolist()), season)

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "FittedSeries":
        """The fitted preparation from its `to_dict`."""
        return FittedSeries.from_dict(given)


@dataclass(frozen=True)
class FittedSeries:
    """A `SeriesPreparation` with what it learnt from train rows; implements `Prepared`.

    `spread` is that of the differences from the last value; `season` the channel that holds the value a season before
    the one to be predicted (-1: there is none).
    """

    preparation: SeriesPreparation
    shape: SeriesShape
    mean: tuple[float, ...]
    std: tuple[float, ...]
    spread: tuple[float, ...]
    season: int = -1

    def transform(self, dataset: Dataset) -> Inputs:
        """One array float32 (n, channels, time): NaN where a value is missing and behind the end."""
        values, part = self._scaled(_series(dataset)), self.preparation
        if part.length and values.shape[2] > part.length:
            values = _averaged(values, part.length)
        return (np.ascontiguousarray(values, np.float32),)

    def matrix(self, dataset: Dataset) -> Array:
        """Float32 (n, features), or (n, channels, length) where the preparation's `form` is "series"; no gaps."""
        values = self._scaled(_series(dataset))
        if self.preparation.form == "series":
            length = max(SHORTEST, self.shape.length)
            return resampled(values, length)
        channels = values.shape[1]
        points = min(self.shape.length, POINTS if self.preparation.base == "none" else FEATURES)
        points = max(1, min(points, FEATURES // channels))
        flat = resampled(values, points).reshape(len(values), -1)
        return np.hstack([flat, statistics(values, self.shape.length)]).astype(np.float32)

    def base(self, dataset: Dataset) -> Array | None:
        """What each forecast (n,) is a difference from, in the target's own unit; None: from nothing."""
        if self.preparation.base == "none":
            return None
        values = _series(dataset)
        if self.preparation.base == "last" or self.season < 0:
            return np.asarray(last_values(values[:, 0]), np.float64)
        return np.asarray(values[:, self.season, -1], np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.preparation.kind,
            "preparation": self.preparation.plain(),
            "shape": [self.shape.channels, self.shape.length],
            "mean": list(self.mean),
            "std": list(self.std),
            "spread": list(self.spread),
            "season": self.season,
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedSeries":
        """The fitted preparation from `to_dict`."""
        mean, std, spread = (tuple(given[name]) for name in ("mean", "std", "spread"))
        part, shape = SeriesPreparation.read(given["preparation"]), SeriesShape(*given["shape"])
        return cls(part, shape, mean, std, spread, given["season"])

    def _scaled(self, values: Array) -> Array:
        """Values (n, channels, time) on the scale of the preparation."""
        if values.shape[1] != len(self.mean):
            raise UserError(f"the model learnt from {len(self.mean)} channels, got {values.shape[1]}")
        mean, std = (np.asarray(each)[:, None] for each in (self.mean, self.std))
        scaling = self.preparation.scaling
        if scaling == "none":
            return values
        if scaling == "last":
            apart = (values - _anchors(values, self.season)) / np.asarray(self.spread)[:, None]
            level = ((last_values(values[:, 0]) - self.mean[0]) / self.std[0])[:, None, None]
            bent = level / np.sqrt(1 + (level / 3) ** 2)
            return np.concatenate([apart, np.broadcast_to(bent, (len(values), 1, values.shape[2]))], axis=1)
        scaled = (values - mean) / std
        return _by_case(scaled) if scaling == "case" else scaled


def last_values(values: Array) -> Array:
    """The last value (n,) of series (n, time) that is not missing; 0 where all are."""
    there = ~np.isnan(values)
    place = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return np.where(there.any(axis=1), values[np.arange(len(values)), place], 0.0)


def _anchors(values: Array, season: int) -> Array:
    """The last value of each channel (n, channels, 1); the channel of the season before is told from the target's."""
    found = np.stack([last_values(values[:, channel]) for channel in range(values.shape[1])], axis=1)
    if season >= 0:
        found[:, season] = found[:, 0]
    return found[:, :, None]


def _series(dataset: Dataset) -> Array:
    if dataset.series is None:
        raise TypeError(f"{dataset.name} holds no series")
    return dataset.series


def _moments(values: Array) -> tuple[Array, Array]:
    """Mean and spread (channels,) float64 of what is there; a constant or empty channel has spread 1."""
    flat = np.asarray(values, np.float64).transpose(1, 0, 2).reshape(values.shape[1], -1)
    there = ~np.isnan(flat)
    count = np.maximum(1, there.sum(axis=1))
    mean = np.where(there, flat, 0).sum(axis=1) / count
    std = np.sqrt(np.where(there, flat - mean[:, None], 0) ** 2 @ np.ones(flat.shape[1]) / count)
    return mean, np.where(std > 1e-12 * np.maximum(1e-200, np.abs(mean)), std, 1.0)


def _by_case(values: Array) -> Array:
    """Every channel of every case with mean 0 and spread 1."""
    there = ~np.isnan(values)
    count = np.maximum(1, there.sum(axis=2, keepdims=True))
    mean = np.where(there, values, 0).sum(axis=2, keepdims=True) / count
    std = np.sqrt((np.where(there, values - mean, 0) ** 2).sum(axis=2, keepdims=True) / count)
    return np.asarray((values - mean) / np.where(std > 1e-8, std, 1.0))


def _averaged(values: Array, length: int) -> Array:
    """Series brought down to a length: the mean of what is there in each of so many stretches."""
    bounds = np.linspace(0, values.shape[2], length + 1).astype(int)
    there = ~np.isnan(values)
    total = np.add.reduceat(np.where(there, values, 0), bounds[:-1], axis=2)
    count = np.add.reduceat(there.astype(int), bounds[:-1], axis=2)
    return np.where(count > 0, total / np.maximum(1, count), np.nan)
