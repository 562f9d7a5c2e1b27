"""What fleets are measured on: small networks on digits, tables with categories, images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import ours
import torch
from common import found, same_rows
from ours import PlainMlp
from sklearn.datasets import load_digits
from torch import nn

from steelyard.data.dataset import Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepared import ImageShape
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.parts import Network
from steelyard.training.feed import Rows

TRAIN = 1408  # of the digits: whole batches of 32 and 64
FOLDS, SEEDS = 5, 4
TABLES = {
    "small": TabularMlp(width=64, depth=2, activation="relu", periodic=0, onehot=0, scale=False),
    "default": TabularMlp(),
}


@dataclass(frozen=True)
class Case:
    """Members that train `epochs` passes in batches; `goal` is how many times cheaper a member is to be in a fleet."""

    name: str
    part: Network
    network: Callable[[int], nn.Module]  # the module of a seed
    seeds: tuple[tuple[int, Rows], ...]  # one for every member, with the rows it learns from
    batch: int
    epochs: int
    goal: float | None = None

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return len(self.seeds[0][1]) // self.batch

    def shortened(self, steps: int) -> "Case":
        """The case with rows for so many steps an epoch at most."""
        few = min(steps, self.steps) * self.batch
        cut = {id(rows): ours.first(rows, few) for _, rows in self.seeds}
        return replace(self, seeds=tuple((seed, cut[id(rows)]) for seed, rows in self.seeds))


def digits(sizes: tuple[int, ...], batch: int, epochs: int, goal: float | None) -> Case:
    """32 seeds of a multilayer perceptron on scikit-learn's digits."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images[:TRAIN] / 16, dtype=torch.float32)
    rows, part = ours.rows((x,), torch.tensor(labels[:TRAIN]), 10), PlainMlp(sizes)
    seeds = tuple((seed, rows) for seed in range(32))
    name = f"digits {'→'.join(map(str, sizes))}, batch {batch}"
    return Case(name, part, _seeded(lambda: part.build(None, 10)), seeds, batch, epochs, goal)


def adult(data: Path, size: str, epochs: int, goal: float | None, quick: bool) -> Case:
    """5 folds × 4 seeds on Adult: embeddings of all categories and a small network, or the default one.

    The preparation is fitted on all rows once, so that networks of all folds have the same shapes.
    """
    dataset = _adult(data)
    if quick:
        dataset = dataset.take(np.arange(0, len(dataset), 8))
    assert dataset.target is not None
    prepared, part = TablePreparation().fit(dataset), TABLES[size]
    inputs, codes = prepared.transform(dataset), torch.from_numpy(dataset.target)
    fold = np.arange(len(dataset)) % FOLDS
    learnt = [np.flatnonzero(fold != k)[: len(dataset) * (FOLDS - 1) // FOLDS] for k in range(FOLDS)]
    folds = [ours.rows(tuple(torch.from_numpy(values[few]) for values in inputs), codes[few], 2) for few in learnt]
    seeds = tuple((seed, rows) for rows in folds for seed in range(SEEDS))
    name = f"Adult, {size} network, {FOLDS} folds × {SEEDS} seeds, batch 256"
    return Case(name, part, _seeded(lambda: part.build(prepared.shape, 2)), seeds, 256, epochs, goal)


@cache
def _adult(data: Path) -> Dataset:
    return same_rows(found(data, "adult", "adult-train.csv"), "column_15", 0)[0]


def digits_images(members: int, epochs: int) -> Case:
    """Seeds of a small residual network on the digits as 8 × 8 images."""
    images, labels = load_digits(return_X_y=True)
    pixels = torch.tensor(images[:TRAIN], dtype=torch.uint8).view(-1, 1, 8, 8)
    rows, part = ours.rows((pixels,), torch.tensor(labels[:TRAIN]), 10), ResidualCnn()
    shape = ImageShape(1, 8, 8, (float(images.mean()),), (float(images.std()),))
    seeds = tuple((seed, rows) for seed in range(members))
    return Case("digits, small CNN, batch 64", part, _seeded(lambda: part.build(shape, 10)), seeds, 64, epochs)


def noise_images(epochs: int) -> Case:
    """One residual network on 20,000 noise images of 32 × 32 pixels in three colours: throughput alone."""
    stream = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (20_000, 3, 32, 32), dtype=torch.uint8, generator=stream)
    rows, part = ours.rows((pixels,), torch.randint(0, 10, (20_000,), generator=stream), 10), ResidualCnn(width=64)
    shape = ImageShape(3, 32, 32, (128.0,) * 3, (74.0,) * 3)
    seeds = ((0, rows),)
    return Case(
        "one residual CNN, 32 × 32, batch 256", part, _seeded(lambda: part.build(shape, 10)), seeds, 256, epochs
    )


def _seeded(build: Callable[[], nn.Module]) -> Callable[[int], nn.Module]:
    def network(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return build()

    return network
