"""A bank of real trials on the digits: predictions per example of several arms, from which comparisons are drawn.

The digits are taken as a table of 64 numbers. Every partition deals the rows into five folds anew, and every arm is
trained on each of them with seeds of its own.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.metrics import metric
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, gather
from steelyard.trials.clock import Clock
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.trials.trial import Trial


@dataclass(frozen=True, eq=False)
class Bank:
    """Predictions (partitions, rows, classes) of each arm on the rows of the pool, and their truth (rows,)."""

    truth: np.ndarray
    predictions: dict[str, np.ndarray]

    def hits(self, arm: str) -> np.ndarray:
        """Whether each prediction is right (partitions, rows)."""
        return np.asarray(self.predictions[arm].argmax(axis=2) == self.truth, dtype=float)
