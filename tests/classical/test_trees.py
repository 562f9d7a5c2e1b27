"""Flat trees predict what scikit-learn's own trees predict."""

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from steelyard.classical import Boosting, Forest
from steelyard.classical.trees import PAIRS

TASKS = {"binary": 2, "multiclass": 4, "regression": 1}


def rows(task: str, count: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rounded numbers (so that rows fall on thresholds), codes 0..9, and a tenth of the cells missing."""
    random = np.random.default_rng(seed)
    x = np.column_stack([random.normal(size=(count, 4)).round(1), random.integers(0, 10, (count, 2))])
    x = x.astype(np.float32)
    signal = x[:, 0] * x[:, 1] + np.isin(x[:, 5], [2, 3, 7]) + 0.1 * random.normal(size=count)
    x[random.random(x.shape) < 0.1] = np.nan
    if task == "regression":
        return x, 1e5 * signal.astype(np.float64)
    return x, np.searchsorted(np.quantile(signal, np.arange(1, TASKS[task]) / TASKS[task]), signal)


@pytest.mark.parametrize("task", TASKS)
def test_a_forest_predicts_what_scikit_learn_does(task: str) -> None:
    x, y = rows(task)
    new, _ = rows(task, seed=1)
    fitted = Forest(trees=20, max_features=0.5, min_samples_leaf=2).fit(x, y, task, TASKS[task], 3)
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    theirs = kind(20, max_features=0.5, min_samples_leaf=2, random_state=3).fit(x, y)
    expected = theirs.predict(new) if task == "regression" else theirs.predict_proba(new)
    np.testing.assert_allclose(fitted.predict(new), expected, rtol=1e-6, atol=1e-6 * max(1, np.abs(y).max()))


@pytest.mark.parametrize("task", TASKS)
def test_boosting_by_default_is_scikit_learns_default(task: str) -> None:
    x, y = rows(task)
    new, _ = rows(task, seed=1)
    fitted = Boosting().fit(x, y, task, TASKS[task], 3, categorical=[4, 5])
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    theirs = kind(random_state=3).fit(x, y)
    expected = theirs.predict(new) if task == "regression" else theirs.predict_proba(new)
    np.testing.assert_allclose(fitted.predict(new), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_boosting_with_native_categories_predicts_what_scikit_learn_does(task: str) -> None:
    x, y = rows(task)
    x[:, 5] *= 25  # codes with gaps, up to 225
    new, _ = rows(task, seed=1)
    new[:, 5] *= 25
    new[:40, 5] = np.arange(40)  # mostly codes that training never met
    new[40:50, 4] = 254
    fitted = Boosting(categories="native").fit(x, y, task, TASKS[task], 3, categorical=[4, 5])
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    theirs = kind(random_state=3, categorical_features=[4, 5]).fit(x, y)
    expected = theirs.predict(new) if task == "regression" else theirs.predict_proba(new)
    np.testing.assert_allclose(fitted.predict(new), expected, rtol=1e-5, atol=1e-5)


def test_rows_predict_the_same_alone_and_in_a_matrix_of_many_blocks() -> None:
    x, y = rows("binary")
    fitted = Boosting(iterations=30).fit(x, y, "binary", 2, 0)
    many = np.tile(x, (1 + PAIRS // len(x), 1))
    together = fitted.predict(many)[: len(x)]
    alone = np.concatenate([fitted.predict(x[i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(alone, together[:50], rtol=1e-6)


def test_a_value_on_the_threshold_goes_left_as_in_training() -> None:
    x = np.float32([[0.1], [0.2], [0.3], [0.4]] * 20)
    y = (x[:, 0] > np.float32(0.25)).astype(np.int64)
    fitted = Forest(trees=5).fit(x, y, "binary", 2, 0)
    np.testing.assert_array_equal(fitted.predict(x).argmax(axis=1), y)


def test_infinite_values_go_down_the_trees_like_very_large_ones() -> None:
    x, y = rows("binary")
    fitted = Boosting(iterations=20).fit(x, y, "binary", 2, 0)
    large, infinite = x[:20].copy(), x[:20].copy()
    large[:, 0], infinite[:, 0] = 3e38, np.inf
    np.testing.assert_array_equal(fitted.predict(infinite), fitted.predict(large))


def test_a_matrix_with_another_number_of_columns_is_refused() -> None:
    x, y = rows("binary")
    fitted = Forest(trees=2).fit(x, y, "binary", 2, 0)
    with pytest.raises(ValueError, match=r"expected a matrix \(n, 6\)"):
        fitted.predict(x[:, :5])
