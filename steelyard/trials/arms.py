"""An arm: one recipe tried with several seeds at one size; its predictions are pooled over the folds of each seed."""

from dataclasses import dataclass
from typing import Protocol as Shape

import numpy as np

from steelyard.data.split import Protocol
from steelyard.recipe import Recipe
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Outcome, Trial


@dataclass(frozen=True)
class Size:
    """How many train rows a trial gets (None: all of them); with `redraw` every seed deals a hold-out's dev rows anew.

    Rows dealt into folds are dealt anew for every seed in any case. Sizes that are `nested` give every seed subsets of
    its own, each of which lies in the larger ones; with `of` they limit the rows of that class alone.
    """

    rows: int | None = None
    redraw: bool = False
    nested: bool = False
    of: int | None = None

    @property
    def full(self) -> bool:
        return self.rows is None


FULL = Size()


def trials_of(recipe: Recipe, seeds: tuple[int, ...], size: Size, protocol: Protocol) -> list[Trial]:
    """The trials of an arm: a seed a partition, a trial a fold; a hold-out that is not redrawn is the first one."""
    dealt = size.redraw or protocol.folds > 1
    nested = size.nested and not size.full
    return [
        Trial(recipe, s, s if dealt else 0, fold, size.rows, s if nested else None, size.of if nested else None)
        for s in seeds
        for fold in range(protocol.folds)
    ]


class Reader(Shape):
    """Reads the predictions of an outcome."""

    def predictions(self, outcome: Outcome) -> Predictions: ...


@dataclass(frozen=True)
class Tried:
    """An arm with its results: per seed the dev rows (sorted pool row numbers) and what was predicted there.

    So for train rows and train-dev rows, which are empty unless sources are mixed.
    """

    recipe: Recipe
    size: Size
    outcomes: tuple[Outcome, ...]
    rows: tuple[np.ndarray, ...]
    dev: tuple[np.ndarray, ...]
    train_rows: tuple[np.ndarray, ...]
    train: tuple[np.ndarray, ...]
    train_dev_rows: tuple[np.ndarray, ...] = ()
    train_dev: tuple[np.ndarray, ...] = ()

    @property
    def seconds(self) -> float:
        """Seconds to train the arm once, the median over its trials."""
        return float(np.median([outcome.seconds for outcome in self.outcomes]))

    @property
    def measured(self) -> dict[str, float]:
        """What constraints limit, the median over its trials."""
        names = self.outcomes[0].measured
        return {name: float(np.median([o.measured[name] for o in self.outcomes])) for name in names}


def gather(recipe: Recipe, size: Size, outcomes: list[Outcome], folds: int, reader: Reader) -> Tried | None:
    """An arm from its outcomes; None when any of them did not finish."""
    if not outcomes or not all(outcome.done for outcome in outcomes):
        return None
    pooled = [_pool([reader.predictions(o) for o in outcomes[i : i + folds]]) for i in range(0, len(outcomes), folds)]
    return Tried(recipe, size, tuple(outcomes), *zip(*pooled, strict=True))


def _pool(folds: list[Predictions]) -> tuple[np.ndarray, ...]:
    """What was predicted on dev, train and train-dev in all folds: rows and predictions of each, dev's in order."""
    return (
        *_sorted([p.dev_rows for p in folds], [p.dev for p in folds]),
        np.concatenate([p.train_rows for p in folds]),
        np.concatenate([p.train for p in folds]),
        *_sorted([p.train_dev_rows for p in folds], [p.train_dev for p in folds]),
    )


def _sorted(rows: list[np.ndarray], predictions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.concatenate(rows)
    order = np.argsort(numbers, kind="stable")
    return numbers[order], np.concatenate(predictions)[order]
