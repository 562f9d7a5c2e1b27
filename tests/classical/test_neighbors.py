"""Nearest neighbours and the baseline."""

import numpy as np

from steelyard.classical import Dummy, Neighbors


def test_the_baseline_predicts_the_shares_of_the_classes() -> None:
    predictions = Dummy().fit(np.zeros((4, 1)), np.array([0, 0, 0, 2]), "multiclass", 3, 0).predict(np.zeros((2, 1)))
    np.testing.assert_array_equal(predictions, [[0.75, 0, 0.25]] * 2)


def test_the_baseline_predicts_the_mean() -> None:
    fitted = Dummy().fit(np.zeros((3, 1)), np.array([1.0, 2.0, 6.0]), "regression", 0, 0)
    np.testing.assert_array_equal(fitted.predict(np.zeros((2, 1))), [3, 3])


def test_the_nearest_rows_answer() -> None:
    x = np.float32([[0], [1], [2], [10], [11], [12]])
    fitted = Neighbors(k=3).fit(x, np.array([0, 0, 0, 1, 1, 1]), "binary", 2, 0)
    np.testing.assert_array_equal(fitted.predict(np.float32([[1.2], [9.0]])).argmax(axis=1), [0, 1])


def test_the_prior_counts_as_one_more_neighbour() -> None:
    x = np.float32([[0], [1], [2], [10]])
    fitted = Neighbors(k=3).fit(x, np.array([0, 0, 0, 1]), "binary", 2, 0)
    np.testing.assert_allclose(fitted.predict(np.float32([[1]])), [[3.75 / 4, 0.25 / 4]])


def test_values_are_the_mean_of_the_neighbours() -> None:
    x = np.float32([[0], [1], [2], [10]])
    fitted = Neighbors(k=3).fit(x, np.array([3.0, 4.0, 8.0, 99.0]), "regression", 0, 0)
    np.testing.assert_allclose(fitted.predict(np.float32([[1]])), [5])


def test_more_neighbours_than_rows_means_all_rows() -> None:
    fitted = Neighbors(k=50).fit(np.float32([[0], [1]]), np.array([3.0, 5.0]), "regression", 0, 0)
    np.testing.assert_allclose(fitted.predict(np.float32([[0]])), [4])
