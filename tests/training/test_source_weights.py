"""Rows of helper sources count less where a recipe says so, and nowhere else."""

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.sources import Sources
from steelyard.training.sources import TargetSource


def rows(target: tuple[int, ...] | None) -> Dataset:
    """Eight rows from two sources by turns."""
    frame = pd.DataFrame({"x": np.arange(8.0)})
    sources = None if target is None else Sources("origin", ("far", "near"), np.arange(8) % 2, target)
    return Dataset(
        "s", Schema("tabular", "y", (Column("x", "number"),)), np.arange(8.0), (), frame=frame, sources=sources
    )


def test_helper_rows_count_less_and_the_mean_stays_one() -> None:
    weights = TargetSource(helpers=0.25).weights(rows((1,)))
    assert weights is not None
    np.testing.assert_allclose(weights.mean(), 1.0)
    np.testing.assert_allclose(weights[0] / weights[1], 0.25)


def test_at_nought_helper_rows_are_not_learnt_from() -> None:
    weights = TargetSource(helpers=0.0).weights(rows((1,)))
    assert weights is not None
    np.testing.assert_array_equal(weights > 0, np.arange(8) % 2 == 1)


def test_without_sources_or_with_one_alone_all_rows_count_alike() -> None:
    assert TargetSource(helpers=0.25).weights(rows(None)) is None
    assert TargetSource(helpers=0.25).weights(rows((0, 1))) is None
    assert TargetSource(helpers=1.0).weights(rows((1,))) is None
