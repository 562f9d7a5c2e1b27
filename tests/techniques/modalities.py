"""The smallest text and series there can be, in the form augmentations rely on, for tests of techniques."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.networks.layers import head
from steelyard.parts import Network, Preparation
from steelyard.problem import Problem

LENGTH, WORDS, TIME = 12, 20, 16


def texts() -> tuple[Dataset, Problem]:
    """64 texts of 4 to 12 words, numbered from 4 on; words of the second class are mostly later ones."""
    random = np.random.default_rng(2)
    code = random.permutation(np.repeat([0, 1], [40, 24]))
    words = [
        " ".join(map(str, random.integers(4, WORDS - 6, random.integers(4, LENGTH + 1)) + 6 * late)) for late in code
    ]
    return _dataset(pd.DataFrame({"said": words}), code, "text")


def courses() -> tuple[Dataset, Problem]:
    """64 series of 2 channels and 9 to 16 points, some of them missing: slow waves and quick ones."""
    random = np.random.default_rng(3)
    code = random.permutation(np.repeat([0, 1], [40, 24]))
    waves = np.sin(np.arange(TIME) * (0.5 + code[:, None]) + random.uniform(0, 6, (64, 1)))
    both = np.stack([waves, random.normal(size=waves.shape)], 1) + 0.1 * random.normal(size=(64, 2, TIME))
    both[:, 0, 4][::5] = np.nan
    for series, points in zip(both, random.integers(9, TIME + 1, 64), strict=True):
        series[:, points:] = np.nan
    columns = [f"{channel}{point}" for channel in "ab" for point in range(TIME)]
    return _dataset(pd.DataFrame(both.reshape(64, -1), columns=columns), code, "series")


def _dataset(frame: pd.DataFrame, code: np.ndarray, modality: str) -> tuple[Dataset, Problem]:
    code = np.where(np.arange(64) % 7 == 3, 1 - code, code)  # wrong names: no boundary is right everywhere
    schema = Schema("tabular", "y", tuple(Column(name, "number") for name in frame.columns))
    dataset = Dataset("small", schema, code, ("few", "many"), frame=frame)
    return dataset, Problem("binary", modality, "y", 64, ("few", "many"), "accuracy")


@dataclass(frozen=True)
class Fitted:
    """What both preparations are when they are fitted."""

    kind: str
    shape: None = None

    def transform(self, dataset: Dataset) -> tuple[np.ndarray]:
        if self.kind == "series":
            return (np.array(dataset.frame, np.float32).reshape(-1, 2, TIME),)
        ids = np.zeros((len(dataset), LENGTH), np.int64)
        for row, text in enumerate(dataset.frame["said"]):
            words = [int(word) for word in text.split()]
            ids[row, : len(words)] = words
        return (ids,)

    def matrix(self, dataset: Dataset) -> np.ndarray:
        (found,) = self.transform(dataset)
        return np.nan_to_num(found.reshape(len(dataset), -1)).astype(np.float32)


@dataclass(frozen=True)
class SmallWords(Preparation):
    def fit(self, dataset: Dataset) -> Fitted:
        return Fitted("text")


@dataclass(frozen=True)
class SmallCourses(Preparation):
    def fit(self, dataset: Dataset) -> Fitted:
        return Fitted("series")


@dataclass(frozen=True)
class SmallReader(Network):
    """A convolution over the vectors of tokens, then their mean."""

    def build(self, shape: None, outputs: int) -> nn.Module:
        return Reader(outputs)


@dataclass(frozen=True)
class SmallListener(Network):
    """A convolution over the points and the marks of those that are known, then their mean."""

    def build(self, shape: None, outputs: int) -> nn.Module:
        return Listener(outputs)


def _end(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), head(8, outputs))


class Reader(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(WORDS, 6)
        self.look, self.head = nn.Conv1d(7, 8, 3, padding=1), _end(outputs)

    def encode(self, tokens: torch.Tensor) -> torch.Tensor:
        real = (tokens != 0).float().unsqueeze(2)
        return torch.cat([self.vectors(tokens) * real, real], 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        real = features[..., -1:]
        seen = self.look(features.mT).relu().mT * real
        return self.head(seen.sum(1) / real.sum(1).clamp(min=1e-3))


class Listener(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.look, self.head = nn.Conv1d(4, 8, 3, padding=1), _end(outputs)

    def encode(self, series: torch.Tensor) -> torch.Tensor:
        return torch.cat([series.nan_to_num(0.0), (~series.isnan()).float()], 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.head(self.look(features).relu().mean(2))
