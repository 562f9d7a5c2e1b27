"""Linear models: the optimum is found, for few inputs and for many."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from steelyard.classical import Linear
from steelyard.classical.linear import NEWTON_UNKNOWNS
from steelyard.errors import UserError


def rows(count: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(count, features)).astype(np.float32)
    return x, (x @ random.normal(size=(features, classes)) + random.gumbel(size=(count, classes))).argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_regression_reaches_the_optimum_of_scikit_learn(classes: int) -> None:
    x, y = rows(400, 8, classes)
    expected = LogisticRegression(C=0.5, tol=1e-8, max_iter=5000).fit(x.astype(float), y).predict_proba(x)
    np.testing.assert_allclose(Linear(l2=2.0).fit(x, y, "x", classes, 0).predict(x), expected, atol=1e-3)


def test_many_inputs_take_the_other_solver_and_end_without_warnings() -> None:
    x, y = rows(300, NEWTON_UNKNOWNS // 2, 3)
    predictions = Linear().fit(x, y, "multiclass", 3, 0).predict(x)
    assert (predictions.argmax(axis=1) == y).mean() > 0.95


def test_separable_classes_end_without_warnings() -> None:
    x = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
    y = (x[:, 0] > 0).astype(np.int64)
    predictions = Linear(l2=1e-6).fit(x, y, "binary", 2, 0).predict(x)
    np.testing.assert_array_equal(predictions.argmax(axis=1), y)


def test_values_are_predicted_by_ridge_regression() -> None:
    x, _ = rows(200, 5, 2)
    y = 3e5 + 1e4 * x.astype(float).sum(axis=1)
    expected = Ridge(alpha=2.0).fit(x.astype(float), y).predict(x)
    np.testing.assert_allclose(Linear(l2=2.0).fit(x, y, "regression", 0, 0).predict(x), expected, rtol=1e-9)


def test_equal_columns_and_more_columns_than_rows_are_no_trouble() -> None:
    x = np.ones((12, 30), np.float32)
    y = np.arange(12, dtype=float)
    np.testing.assert_allclose(Linear(l2=1e-6).fit(x, y, "regression", 0, 0).predict(x), 5.5)


def test_a_penalty_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"linear\.l2 must lie in"):
        Linear(l2=-1.0)
