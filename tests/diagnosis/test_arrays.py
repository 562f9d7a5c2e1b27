"""A diagnosis of truth and predictions from anywhere: what is taken for what, and what is refused."""

import json

import numpy as np
import pytest

import steelyard
from steelyard.diagnosis.arrays import problem_of
from steelyard.errors import UserError
from steelyard.records import to_plain

RANDOM = np.random.default_rng(0)


def classes(errors: float, rows: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Names of classes, and probabilities that name another one in that share of rows."""
    codes = np.arange(rows) % 3
    said = np.where(np.arange(rows) < errors * rows, (codes + 1) % 3, codes)
    return np.array(["cat", "dog", "eel"])[codes], 0.8 * np.eye(3)[said] + 0.2 / 3


def test_names_and_probabilities_are_a_problem_of_classes() -> None:
    found = steelyard.diagnose(train=classes(0.02), dev=classes(0.2), human=0.01)
    assert found.errors.unit == "1 - accuracy"
    assert found.errors.dominant == "variance"
    assert any("variance dominates" in line for line in found.said)
    json.dumps(to_plain(found))


def test_names_may_be_predicted_too() -> None:
    truth, probabilities = classes(0.1)
    said = np.array(["cat", "dog", "eel"])[probabilities.argmax(axis=1)]
    found = steelyard.diagnose(train=(truth, said), dev=(truth, said))
    np.testing.assert_allclose([level.error.value for level in found.errors.levels], (0.1, 0.1))


def test_numbers_between_nought_and_one_are_probabilities_of_the_second_class() -> None:
    truth = np.arange(100) % 2
    problem, samples = problem_of({"train": (truth, 0.2 + 0.6 * truth), "dev": (truth, 0.8 - 0.6 * truth)})
    assert (problem.task, samples["train"].predictions.shape) == ("binary", (100, 2))
    assert (
        steelyard.diagnose(train=(truth, 0.2 + 0.6 * truth), dev=(truth, 0.8 - 0.6 * truth))
        .errors.levels[1]
        .error.value
        == 1.0
    )


def test_values_are_a_regression_in_the_loss_that_is_named() -> None:
    truth = RANDOM.normal(size=500)
    noise = RANDOM.normal(size=500)
    sets = {"train": (truth, truth + 0.1 * noise), "dev": (truth, truth + noise)}
    assert steelyard.diagnose(**sets).errors.unit == "rmse"
    found = steelyard.diagnose(**sets, metric="mae")
    assert (found.errors.unit, found.errors.dominant) == ("mae", "variance")


def test_all_sets_make_the_whole_table() -> None:
    found = steelyard.diagnose(
        train=classes(0.02), train_dev=classes(0.05), dev=classes(0.25), test=classes(0.26), human=(0.01, 0.005, 0.02)
    )
    assert [level.name for level in found.errors.levels] == ["human level", "train", "train-dev", "dev", "test"]
    assert found.errors.dominant == "mismatch"


def test_rows_with_names_are_compared_on_the_same_rows() -> None:
    truth, said = classes(0.2)
    names = np.array([f"row {k}" for k in range(len(truth))])
    found = steelyard.diagnose(train=(truth, said, names), dev=(truth, said, names))
    gap = found.errors.gap("variance")
    assert gap is not None
    assert -0.005 < gap.low <= 0.0 <= gap.high < 0.005  # each of the two is known to 0.025


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ({"train": classes(0.1)}, "needs train and dev"),
        ({"train": (np.ones(3), np.ones(2)), "dev": classes(0.1)}, "must go together"),
        ({"train": 3, "dev": classes(0.1)}, "is \\(truth, predictions\\)"),
        ({"train": (np.array([1.0, np.nan]), np.ones(2)), "dev": (np.ones(2), np.ones(2))}, "not finite"),
        ({"train": classes(0.1), "dev": (np.array(["cow"]), classes(0.1, 1)[1])}, "4 classes|none of the classes"),
        ({"train": classes(0.1), "dev": classes(0.1), "human": -0.1}, "human is an error from 0"),
        ({"train": classes(0.1), "dev": classes(0.1), "metric": "rmse"}, "scores regression"),
        ({"train": (np.empty(0), np.empty(0)), "dev": classes(0.1)}, "no rows"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(sets: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        steelyard.diagnose(**sets)  # type: ignore[arg-type]
