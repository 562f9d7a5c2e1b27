"""A bank of real trials on the digits: predictions per example of several arms, from which comparisons are drawn.

The digits are taken as a table of 64 numbers. Every partition deals the rows into five folds anew, and every arm is
trained on each of them with a seed of its own, as `steelyard weigh` does it.
"""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, Tried, gather
from steelyard.trials.clock import Clock
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.trials.trial import Trial
from steelyard.workflow.ask import Ask
from steelyard.workflow.network import Posed, pose

APART = 1000  # between the seeds of two arms that are the same technique


@dataclass(frozen=True, eq=False)
class Bank:
    """Predictions of each arm, a partition a seed: (partitions, rows, classes), and the truth (rows,)."""

    truth: np.ndarray
    predictions: dict[str, np.ndarray]

    def hits(self, arm: str) -> np.ndarray:
        """Whether each prediction is right (partitions, rows)."""
        return np.asarray(self.predictions[arm].argmax(axis=2) == self.truth, dtype=float)


def posed_digits() -> Posed:
    """The digits as a table, split as a run splits them."""
    return pose(Ask(load_digits(as_frame=True).frame, "target"))


def trained(posed: Posed, arms: Mapping[str, tuple[Recipe, int]], partitions: int) -> Bank:
    """The bank of arms given as (recipe, what is added to the number of the partition to be its seed)."""
    with tempfile.TemporaryDirectory() as folder, Executor(2) as executor:
        place = Path(folder)
        with closing(Journal(place / "journal.db")) as journal:
            executor.open(place, journal, Clock(), posed.pool, posed.problem, posed.protocol, lambda event: None)
            folds, numbers = posed.protocol.folds, range(partitions)
            trials = {
                name: [Trial(recipe, k + apart, k, fold) for k in numbers for fold in range(folds)]
                for name, (recipe, apart) in arms.items()
            }
            outcomes = executor.run([trial for each in trials.values() for trial in each])
            found, begin = {}, 0
            for name, mine in trials.items():
                tried = gather(arms[name][0], FULL, outcomes[begin : begin + len(mine)], folds, executor)
                begin += len(mine)
                if tried is None:
                    raise RuntimeError(f"an arm of the bank was not trained to its end: {name}")
                found[name] = _predictions(tried)
    assert posed.pool.target is not None
    return Bank(posed.pool.target, found)


def _predictions(tried: Tried) -> np.ndarray:
    """(partitions, rows, classes): with folds every row of the pool is in dev once a partition."""
    return np.stack(tried.dev)
