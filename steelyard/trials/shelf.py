"""The shelf: rows prepared for one trial are kept for the next ones on the same split."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol
from steelyard.problem import Problem
from steelyard.training.feed import Tensors
from steelyard.training.start import Ready, question, ready
from steelyard.trials.trial import Trial

T = TypeVar("T")
ROOM = 512 << 20  # bytes that may lie on the shelf
TRAIN_SAMPLE = 4096  # train rows predicted for the train score


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of a trial: row numbers of the pool, and the data sets of train, dev, train-dev and a sample of train.

    Train-dev is empty unless sources are mixed.
    """

    train_rows: np.ndarray
    dev_rows: np.ndarray
    sample_rows: np.ndarray
    train: Dataset
    dev: Dataset
    sample: Dataset
    train_dev_rows: np.ndarray
    train_dev: Dataset

    @classmethod
    def of(cls, trial: Trial, pool: Dataset, protocol: Protocol) -> "Split":
        """The split of a trial; the sample of train rows is drawn by its seed."""
        rows, dev_rows = protocol.split(trial.partition, trial.fold)
        if trial.draw is None or trial.rows is None:
            rows = protocol.subset(rows, trial.rows, trial.partition)
        else:
            rows = protocol.nested(rows, trial.rows, trial.draw, trial.of)
        train = pool.take(rows)
        sample = draw(len(rows), trial.seed)
        held = protocol.train_dev(trial.partition, trial.fold)
        dev, train_dev = pool.take(dev_rows), pool.take(held)
        return cls(rows, dev_rows, rows[sample], train, dev, train.take(sample), held, train_dev)


@dataclass(frozen=True, eq=False)
class Laid:
    """A split prepared for networks: what is learnt from, and the inputs of dev, train-dev and the sample of train."""

    ready: Ready
    dev: Tensors
    sample: Tensors
    train_dev: Tensors

    @property
    def nbytes(self) -> int:
        held = self.ready.held
        rows = [self.ready.rows.targets, *self.ready.rows.inputs, *(held.inputs if held else ())]
        return sum(tensor.nbytes for tensor in (*rows, *self.dev, *self.sample, *self.train_dev))


class Shelf:
    """Prepared splits by what they depend on; the oldest give way when there is no room."""

    def __init__(self) -> None:
        self._splits: dict[Any, Split] = {}
        self._laid: dict[Any, Laid] = {}

    def split(self, trial: Trial, pool: Dataset, protocol: Protocol) -> Split:
        """The rows of a trial."""
        key = _part(trial)
        return _found(self._splits, key, lambda: Split.of(trial, pool, protocol), 64)

    def laid(self, trial: Trial, split: Split, problem: Problem) -> Laid:
        """The rows of a trial, prepared as its recipe says."""
        key = (_part(trial), question(trial.recipe, trial.seed))
        laid = _found(self._laid, key, lambda: _lay(trial, split, problem), 64)
        while len(self._laid) > 1 and sum(each.nbytes for each in self._laid.values()) > ROOM:
            self._laid.pop(next(iter(self._laid)))
        return laid

    def clear(self) -> None:
        """Forget everything: the data are others now."""
        self._splits.clear()
        self._laid.clear()


def _part(trial: Trial) -> tuple[int | None, ...]:
    """What the rows of a trial depend on."""
    return (trial.partition, trial.fold, trial.rows, trial.draw, trial.of, trial.seed)


def _lay(trial: Trial, split: Split, problem: Problem) -> Laid:
    done = ready(trial.recipe, split.train, problem, trial.seed)
    dev, sample, train_dev = (_tensors(done, rows) for rows in (split.dev, split.sample, split.train_dev))
    return Laid(done, dev, sample, train_dev)


def _tensors(done: Ready, rows: Dataset) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(values) for values in done.prepared.transform(rows)) if len(rows) else ()


def _found(shelf: dict[Any, T], key: Any, make: Callable[[], T], most: int) -> T:
    """What lies there, moved to the end; made and laid down if it was not there."""
    value = shelf.pop(key) if key in shelf else make()
    shelf[key] = value
    while len(shelf) > most:
        shelf.pop(next(iter(shelf)))
    return value


def draw(rows: int, seed: int, size: int = TRAIN_SAMPLE) -> np.ndarray:
    """Sorted numbers of at most `size` of so many rows."""
    if rows <= size:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 4]).choice(rows, size, replace=False))
