"""Arms one brings: what arrays may be compared, and what is said of those that may not."""

import numpy as np
import pytest

import steelyard

TRUTH = np.arange(600) % 3


def codes(share: float, pairs: int, seed: int) -> np.ndarray:
    """Class codes (pairs, examples) that are right with that share."""
    random = np.random.default_rng(seed)
    return np.where(random.random((pairs, 600)) < share, TRUTH, (TRUTH + 1) % 3)


def test_hits_of_two_arms_are_compared_over_trainings_and_examples() -> None:
    a, b = codes(0.7, 5, 0) == TRUTH, codes(0.8, 5, 1) == TRUTH
    found = steelyard.compare(a, b)
    assert found.verdict == "helps"
    assert found.low < 0.1 < found.high
    assert len(found.pairs) == 5
    assert steelyard.compare(b, a).verdict == "hurts"
    assert steelyard.compare(a, b, greater_is_better=False).verdict == "hurts"


def test_predictions_say_what_their_hits_say() -> None:
    a, b = codes(0.7, 4, 0), codes(0.75, 4, 1)
    by_hits, by_codes = (
        steelyard.compare(a == TRUTH, b == TRUTH),
        steelyard.compare(a, b, truth=TRUTH, metric="accuracy"),
    )
    assert (by_codes.effect, by_codes.low, by_codes.p_value) == pytest.approx(
        (by_hits.effect, by_hits.low, by_hits.p_value)
    )
    probabilities = [np.eye(3)[each] * 0.9 + 0.03 for each in (a, b)]
    assert steelyard.compare(*probabilities, truth=TRUTH, metric="accuracy").effect == pytest.approx(by_hits.effect)
    assert steelyard.compare(*probabilities, truth=TRUTH, metric="log_loss").effect < 0


def test_one_score_a_training_is_a_paired_t_test() -> None:
    found = steelyard.compare([0.91, 0.92, 0.90], [0.93, 0.935, 0.925])
    assert found.effect == pytest.approx(0.02)
    assert found.verdict == "helps"
    assert steelyard.compare([0.91, 0.92, 0.90], [0.93, 0.935, 0.88]).verdict == "undecided"


def test_values_are_compared_by_their_errors() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=300)
    worse, better = truth + random.normal(size=(3, 300)), truth + 0.5 * random.normal(size=(3, 300))
    assert steelyard.compare(worse, better, truth=truth, metric="rmse").verdict == "helps"
    assert steelyard.compare(worse[0], better[0], truth=truth, metric="mae").verdict == "helps"


def test_looks_widen_the_interval() -> None:
    a, b = codes(0.7, 5, 0) == TRUTH, codes(0.75, 5, 1) == TRUTH
    once, often = steelyard.compare(a, b), steelyard.compare(a, b, looks=(3, 5, 10))
    assert often.high - often.low > once.high - once.low


@pytest.mark.parametrize(
    ("a", "b", "more", "word"),
    [
        ([0.1, 0.2], [0.1], {}, "shapes must be equal"),
        ([0.1, np.nan], [0.1, 0.2], {}, "finite"),
        ([0.5], [0.6], {}, "one score an arm says nothing"),
        (np.zeros((2, 3, 4)), np.zeros((2, 3, 4)), {}, "need truth"),
        (np.zeros((2, 5)), np.zeros((2, 5)), {"truth": np.zeros(4), "metric": "rmse"}, "of the 4 examples"),
        (np.zeros((2, 4)), np.zeros((2, 4)), {"truth": np.zeros(4)}, "name the metric"),
        (np.zeros((2, 4)), np.zeros((2, 4)), {"truth": np.zeros(4), "metric": "log_loss"}, "needs probabilities"),
        (np.zeros((2, 4)), np.zeros((2, 4)), {"truth": np.zeros(4), "metric": "acuracy"}, "did you mean 'accuracy'"),
    ],
)
def test_what_cannot_be_compared_is_said(a: object, b: object, more: dict[str, object], word: str) -> None:
    with pytest.raises(steelyard.UserError, match=word):
        steelyard.compare(a, b, **more)  # type: ignore[arg-type]
