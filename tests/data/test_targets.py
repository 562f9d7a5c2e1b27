"""Which task a target asks for."""

import numpy as np
import pandas as pd
import pytest

from steelyard.data.source import infer_task, read
from steelyard.errors import UserError


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 10, "binary"),
        ([True, False] * 10, "binary"),
        ([0, 1] * 10, "binary"),
        ([1.0, 2.0] * 10, "binary"),
        (["a", "b", "c"] * 10, "multiclass"),
        ([0, 1, 2] * 10, "multiclass"),
        (["0", "1", "2"] * 10, "multiclass"),
        ([0, 1, 2], "regression"),
        (list(range(200)), "regression"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
        (list(range(30)) * 20, "regression"),
        ([str(x / 7) for x in range(40)], "regression"),
        (pd.Categorical(np.arange(30) % 15), "multiclass"),
    ],
)
def test_the_task_follows_from_the_values(values: object, task: str) -> None:
    assert infer_task(pd.Series(values)) == task


def test_the_word_of_the_user_overrides() -> None:
    assert infer_task(pd.Series([3, 4, 5] * 20), "regression") == "regression"
    assert infer_task(pd.Series(list(range(30)) * 20), "multiclass") == "multiclass"


@pytest.mark.parametrize(
    ("values", "task", "words"),
    [
        (["a", "b"] * 10, "regression", "needs numbers"),
        (["a", "b", "c", "d", "e"] * 5, "binary", "has 5"),
        (["a", "b"] * 10, "multiclass", "has 2"),
        (["a", "b"] * 10, "regresion", "did you mean 'regression'"),
        ([f"name {i}" for i in range(50)], None, "50 different values"),
        (pd.date_range("2020-01-01", periods=20), None, "dates"),
        ([[1], [2]] * 10, None, "lists"),
    ],
)
def test_a_task_that_cannot_be_is_refused(values: object, task: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        infer_task(pd.Series(values), task)


def test_number_classes_are_sorted_as_numbers_and_written_short() -> None:
    y = np.arange(66) % 11
    dataset = read((np.random.default_rng(0).normal(size=(66, 2)), y.astype(float)), None)
    assert dataset.classes == tuple(str(i) for i in range(11))
    assert dataset.target is not None and dataset.target.tolist() == y.tolist()


def test_regression_targets_are_floats() -> None:
    dataset = read((np.random.default_rng(0).normal(size=(50, 2)), np.arange(50)), None)
    assert dataset.classes == () and dataset.target is not None and dataset.target.dtype == np.float64


def test_a_stray_word_among_number_classes_stays_a_class() -> None:
    y = np.array(["1", "2", "3", "1", "2", "3", "1", "2", "3", "other"] * 8)
    y[9::20] = "1"
    assert "other" in read((np.random.default_rng(0).normal(size=(80, 2)), y), None).classes
