"""The error table of an arm, or of the final model, from predictions that are there."""

import numpy as np

from steelyard.diagnosis.errors import error_table
from steelyard.diagnosis.levels import Sample
from steelyard.problem import Score
from steelyard.records import ErrorTable
from steelyard.trials.arms import Tried
from steelyard.trials.predictions import Predictions
from steelyard.workflow.bench import Bench


def table_of(
    bench: Bench,
    found: Predictions,
    test: Score | None = None,
    human: Score | None = None,
    proxy: Score | None = None,
) -> ErrorTable:
    """The error table; `test`, `human` and `proxy` are errors in its unit."""
    train, dev = sample_of(bench, found.train_rows, found.train), sample_of(bench, found.dev_rows, found.dev)
    apart = sample_of(bench, found.train_dev_rows, found.train_dev) if len(found.train_dev_rows) else None
    return error_table(bench.problem, train, dev, apart, test, human, proxy)


def sample_of(bench: Bench, rows: np.ndarray, predictions: np.ndarray) -> Sample:
    """Predictions on rows of the pool as a sample of the table."""
    return Sample(bench.truth[rows], predictions, bench.pool.weights_of(rows), rows)


def first_seed(tried: Tried) -> Predictions:
    """What an arm predicted with its first seed."""
    apart = (tried.train_dev_rows[0], tried.train_dev[0]) if tried.train_dev_rows else ()
    return Predictions(tried.rows[0], tried.dev[0], tried.train_rows[0], tried.train[0], *apart)
