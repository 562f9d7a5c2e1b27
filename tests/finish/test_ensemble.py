"""Blends of arms."""

import numpy as np

from steelyard.finish.ensemble import blend
from steelyard.metrics import metric


def noisy(truth: np.ndarray, seed: int, noise: float) -> np.ndarray:
    return truth + np.random.default_rng(seed).normal(0, noise, len(truth))


def test_two_arms_with_independent_errors_share_the_weight() -> None:
    truth = np.linspace(0, 1, 2000)
    weights = blend(metric("rmse"), truth, [noisy(truth, 1, 0.3), noisy(truth, 2, 0.3)])
    np.testing.assert_allclose(weights, [0.5, 0.5], atol=0.1)


def test_an_arm_that_only_hurts_gets_no_weight() -> None:
    truth = np.linspace(0, 1, 2000)
    assert blend(metric("rmse"), truth, [truth, noisy(truth, 2, 5.0)]).tolist() == [1.0, 0.0]


def test_a_blend_is_never_worse_than_its_best_arm_where_it_was_chosen() -> None:
    stream = np.random.default_rng(0)
    truth = stream.integers(0, 3, 300)
    arms = [stream.dirichlet(np.ones(3), 300) + 0.3 * np.eye(3)[truth] * k for k in range(3)]
    accuracy = metric("accuracy")
    weights = blend(accuracy, truth, arms)
    together = sum(w * a for w, a in zip(weights, arms, strict=True))
    assert accuracy(truth, np.asarray(together)) >= max(accuracy(truth, a) for a in arms)


def test_an_arm_that_is_right_where_rows_count_gets_the_weight() -> None:
    truth, there = np.linspace(0, 1, 200), np.arange(200) < 50
    arms = [np.where(there, truth, truth + 1), np.where(there, truth + 1, truth)]
    assert blend(metric("mae"), truth, arms).tolist() == [0.0, 1.0]
    assert blend(metric("mae"), truth, arms, row_weights=np.where(there, 10.0, 1.0)).tolist() == [1.0, 0.0]
