"""How sure a score is, checked against known values and by simulation."""

import numpy as np
import pytest

from steelyard.metrics import metric
from steelyard.weighing.interval import effective, resampled, score_of


def hits(right: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A truth of n zeros and probabilities that are right for the first of them."""
    predictions = np.tile([0.2, 0.8], (n, 1))
    predictions[:right] = [0.8, 0.2]
    return np.zeros(n, dtype=np.int64), predictions


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_accuracy_has_wilsons_interval(right: int, n: int, low: float, high: float) -> None:
    """Table I of Newcombe 1998, "Two-sided confidence intervals for the single proportion", method 3."""
    score = score_of(metric("accuracy"), *hits(right, n))
    assert score.interval == pytest.approx((low, high), abs=6e-5)
    assert score.examples == n


def test_accuracy_covers_its_true_value_in_ninety_five_of_a_hundred_samples() -> None:
    random, covered = np.random.default_rng(0), 0
    for right in random.binomial(150, 0.85, 1000):
        score = score_of(metric("accuracy"), *hits(int(right), 150))
        covered += score.low <= 0.85 <= score.high
    assert 0.92 <= covered / 1000 <= 0.975


@pytest.mark.parametrize(("name", "true"), [("mae", np.sqrt(2 / np.pi)), ("rmse", 1.0)])
def test_scores_of_values_cover_their_true_value(name: str, true: float) -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(300):
        score = score_of(metric(name), np.zeros(120), random.normal(size=120))
        covered += score.low <= true <= score.high
    assert 0.90 <= covered / 300 <= 0.985


def test_a_bootstrap_interval_holds_the_score_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 80)
    predictions = random.dirichlet([1, 1], 80)
    one, two = (score_of(metric("roc_auc"), truth, predictions) for _ in range(2))
    assert one == two
    assert one.low < one.value < one.high


def test_resamples_without_a_second_class_are_left_out() -> None:
    truth = np.array([1, *[0] * 9])
    predictions = np.tile([0.5, 0.5], (10, 1))
    draws = resampled(metric("roc_auc"), truth, [predictions])
    assert 0 < len(draws) < 200
    assert np.isfinite(draws).all()


def test_more_examples_make_a_narrower_interval() -> None:
    widths = [s.high - s.low for s in (score_of(metric("accuracy"), *hits(n * 9 // 10, n)) for n in (100, 400, 1600))]
    assert widths[0] > 1.8 * widths[1] > 3 * widths[2]


def test_with_weights_accuracy_has_wilsons_interval_for_the_effective_number_of_examples() -> None:
    truth, predictions = hits(81, 263)
    assert score_of(metric("accuracy"), truth, predictions, np.full(263, 0.3)).interval == pytest.approx(
        score_of(metric("accuracy"), truth, predictions).interval
    )
    halved = np.array([1.0, 0.0])
    assert effective(np.tile(halved, 50), 100) == 50
    spread = score_of(metric("accuracy"), *hits(200, 400), np.tile(halved, 200))
    assert spread.interval == pytest.approx(score_of(metric("accuracy"), *hits(100, 200)).interval)
    assert spread.examples == 400


@pytest.mark.parametrize("name", ["accuracy", "mae", "rmse"])
def test_scores_with_weights_cover_their_true_value(name: str) -> None:
    """Weights that go with the error: the weighted score differs from the plain one, and is the one covered."""
    random, covered, measure = np.random.default_rng(0), 0, metric(name)
    heavy = 10.0
    for _ in range(300):
        weights = np.where(random.random(200) < 0.3, heavy, 1.0)
        share = 0.3 * heavy / (0.3 * heavy + 0.7)
        if name == "accuracy":
            right = random.random(200) < np.where(weights == heavy, 0.9, 0.6)
            truth, predictions, true = np.zeros(200, np.int64), np.eye(2)[1 - right.astype(int)], 0.6 + 0.3 * share
        else:
            truth, predictions = np.zeros(200), random.normal(size=200) * np.where(weights == heavy, 2.0, 1.0)
            true = np.sqrt(2 / np.pi) * (1 + share) if name == "mae" else np.sqrt(1 + 3 * share)
        score = score_of(measure, truth, predictions, weights)
        covered += score.low <= true <= score.high
    assert 0.90 <= covered / 300 <= 0.985


def test_resamples_in_which_a_class_has_no_weight_are_left_out() -> None:
    random = np.random.default_rng(0)
    truth, weights = np.arange(20) % 2, np.zeros(20)
    weights[:4] = 1.0
    draws = resampled(metric("roc_auc"), truth, [random.dirichlet([1, 1], 20)], weights=weights)
    assert 0 < len(draws) < 200
    assert np.isfinite(draws).all()
