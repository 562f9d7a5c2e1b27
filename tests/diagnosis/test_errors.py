"""The error table on problems built with known bias, variance and noise."""

import numpy as np

from steelyard.diagnosis.errors import error_table
from steelyard.problem import Problem, Score

PROBLEM = Problem("binary", "tabular", "y", 1000, ("a", "b"), "accuracy", human_error=0.05)


def answers(errors: float, rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions of a model that errs on that share of the rows."""
    truth = np.arange(rows) % 2
    predicted = truth.copy()
    wrong = round(rows * errors)
    predicted[:wrong] = 1 - predicted[:wrong]
    return truth, np.eye(2)[predicted]


def test_a_model_that_errs_on_its_own_rows_has_bias() -> None:
    table = error_table(PROBLEM, answers(0.25), answers(0.28))
    assert table.dominant == "bias"
    np.testing.assert_allclose((table.bias, table.variance), (0.20, 0.03), atol=1e-9)


def test_a_model_that_errs_only_on_new_rows_has_variance() -> None:
    table = error_table(PROBLEM, answers(0.06), answers(0.20))
    assert table.dominant == "variance"
    np.testing.assert_allclose((table.bias, table.variance), (0.01, 0.14), atol=1e-9)


def test_differences_within_the_noise_of_dev_dominate_nothing() -> None:
    assert error_table(PROBLEM, answers(0.05, 100), answers(0.06, 100)).dominant == "neither"


def test_without_a_human_level_the_table_says_from_where_bias_is_counted() -> None:
    unknown = Problem("binary", "tabular", "y", 1000, ("a", "b"), "accuracy")
    table = error_table(unknown, answers(0.1), answers(0.1))
    assert table.human is None
    assert "--human-error" in table.caveat


def test_values_are_judged_by_their_rmse() -> None:
    problem = Problem("regression", "tabular", "y", 100, (), "r2")
    truth = np.linspace(0, 10, 100)
    table = error_table(problem, (truth, truth + 0.5), (truth, truth + 2.0))
    assert table.unit == "rmse"
    assert table.dominant == "variance"
    np.testing.assert_allclose((table.train.value, table.dev.value), (0.5, 2.0))


def test_an_accuracy_becomes_an_error_with_its_interval_turned_round() -> None:
    table = error_table(PROBLEM, answers(0.1), answers(0.2), Score(0.9, 0.88, 0.91, 500))
    assert table.test is not None
    np.testing.assert_allclose((table.test.value, table.test.low, table.test.high), (0.1, 0.09, 0.12))


def test_rows_count_in_the_table_by_their_weights() -> None:
    truth, predictions = answers(0.25)
    weights = np.where(np.arange(len(truth)) < 500, 3.0, 1.0)
    table = error_table(PROBLEM, (truth, predictions), (truth, predictions, weights))
    np.testing.assert_allclose((table.train.value, table.dev.value), (0.25, 0.5))


def test_costs_are_told_as_they_are() -> None:
    priced = Problem("binary", "tabular", "y", 1000, ("a", "b"), "cost", costs=((0.0, 4.0), (4.0, 0.0)))
    table = error_table(priced, answers(0.1), answers(0.2), Score(0.7, 0.6, 0.8, 500))
    assert table.unit == "cost"
    assert table.test is not None
    np.testing.assert_allclose((table.bias, table.variance, table.test.value), (0.4, 0.4, 0.7))
