"""The error table on problems built with known bias, variance, mismatch, dev overfitting and noise."""

import numpy as np

from steelyard.diagnosis.errors import error_table
from steelyard.diagnosis.gaps import difference
from steelyard.diagnosis.levels import Sample, correlation, measured
from steelyard.metrics import metric
from steelyard.problem import Problem, Score

PROBLEM = Problem("binary", "tabular", "y", 1000, ("a", "b"), "accuracy", human_error=0.05)
UNKNOWN = Problem("binary", "tabular", "y", 1000, ("a", "b"), "accuracy")


def answers(errors: float, rows: int = 2000) -> Sample:
    """Truth and predictions of a model that errs on that share of the rows."""
    truth = np.arange(rows) % 2
    predicted = truth.copy()
    wrong = round(rows * errors)
    predicted[:wrong] = 1 - predicted[:wrong]
    return Sample(truth, np.eye(2)[predicted])


def test_a_model_that_errs_on_its_own_rows_has_bias() -> None:
    table = error_table(PROBLEM, answers(0.25), answers(0.28))
    assert table.dominant == "bias"
    np.testing.assert_allclose([gap.value for gap in table.gaps], (0.20, 0.03), atol=1e-9)


def test_a_model_that_errs_only_on_new_rows_has_variance() -> None:
    table = error_table(PROBLEM, answers(0.06), answers(0.20))
    assert table.dominant == "variance"
    np.testing.assert_allclose([gap.value for gap in table.gaps], (0.01, 0.14), atol=1e-9)


def test_what_dev_has_over_train_dev_is_mismatch_and_not_variance() -> None:
    table = error_table(PROBLEM, answers(0.06), answers(0.20), answers(0.08))
    assert table.dominant == "mismatch"
    assert [gap.term for gap in table.gaps] == ["bias", "variance", "mismatch"]
    np.testing.assert_allclose([gap.value for gap in table.gaps], (0.01, 0.02, 0.12), atol=1e-9)


def test_what_test_has_over_dev_is_overfitting_to_dev() -> None:
    table = error_table(PROBLEM, answers(0.06), answers(0.08), test=answers(0.2))
    assert table.dominant == "overfitting to dev"


def test_differences_within_the_noise_cannot_be_told() -> None:
    table = error_table(PROBLEM, answers(0.05, 100), answers(0.06, 100))
    assert table.dominant == "cannot tell yet"
    assert table.probability < 0.9


def test_two_parts_of_the_same_size_cannot_be_told_however_many_rows_there_are() -> None:
    assert error_table(PROBLEM, answers(0.15, 50_000), answers(0.25, 50_000)).dominant == "cannot tell yet"


def test_without_a_human_level_the_table_says_from_where_bias_is_counted() -> None:
    table = error_table(UNKNOWN, answers(0.1), answers(0.1))
    assert table.level("human level") is None
    assert table.gaps[0].start == "zero"
    assert "--human-error" in table.caveat


def test_a_proxy_stands_in_for_a_human_level_and_is_called_one() -> None:
    table = error_table(UNKNOWN, answers(0.1), answers(0.1), proxy=Score(0.08, 0.06, 0.1, 500))
    assert table.gaps[0].start == "Bayes proxy"
    assert "proxy" in table.caveat
    known = error_table(PROBLEM, answers(0.1), answers(0.1), proxy=Score(0.08, 0.06, 0.1, 500))
    assert known.gaps[0].start == "human level"
    assert [level.name for level in known.levels] == ["human level", "Bayes proxy", "train", "dev"]


def test_a_model_that_passes_the_human_level_is_said_to() -> None:
    assert "passes the human level" in error_table(PROBLEM, answers(0.01), answers(0.1)).caveat


def test_values_are_judged_by_their_rmse() -> None:
    problem = Problem("regression", "tabular", "y", 100, (), "r2")
    truth = np.linspace(0, 10, 100)
    noise = np.random.default_rng(0).normal(size=100)
    table = error_table(problem, Sample(truth, truth + 0.5 * noise), Sample(truth, truth + 2.0 * noise))
    assert (table.unit, table.dominant) == ("rmse", "variance")
    size = float(np.sqrt((noise**2).mean()))
    np.testing.assert_allclose([level.error.value for level in table.levels], (0.5 * size, 2.0 * size))


def test_rows_count_in_the_table_by_their_weights() -> None:
    plain = answers(0.25)
    weights = np.where(np.arange(len(plain.truth)) < 500, 3.0, 1.0)
    table = error_table(PROBLEM, plain, Sample(plain.truth, plain.predictions, weights))
    np.testing.assert_allclose([level.error.value for level in table.levels[1:]], (0.25, 0.5))


def test_costs_are_told_as_they_are() -> None:
    priced = Problem("binary", "tabular", "y", 1000, ("a", "b"), "cost", costs=((0.0, 4.0), (4.0, 0.0)))
    table = error_table(priced, answers(0.1), answers(0.2))
    assert table.unit == "cost"
    np.testing.assert_allclose([gap.value for gap in table.gaps], (0.4, 0.4))


def test_differences_on_the_same_rows_are_surer_than_on_other_ones() -> None:
    random = np.random.default_rng(0)
    truth, hard = random.integers(0, 2, 800), random.random(800) < 0.3
    one = np.where(hard, 1 - truth, truth)
    other = np.where(random.random(800) < 0.05, 1 - truth, one)
    rows = np.arange(800)
    named = [Sample(truth, np.eye(2)[p], rows=rows) for p in (one, other)]
    nameless = [Sample(truth, np.eye(2)[p]) for p in (one, other)]
    paired, apart = (error_table(UNKNOWN, *each).gaps[1] for each in (named, nameless))
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)
    assert paired.value == apart.value


def test_a_row_that_is_in_several_folds_counts_once() -> None:
    accuracy, once = metric("accuracy"), answers(0.25, 400)
    rows = np.arange(400)
    many = Sample(np.tile(once.truth, 4), np.tile(once.predictions, (4, 1)), rows=np.tile(rows, 4))
    single, found = (measured(accuracy, s) for s in (Sample(once.truth, once.predictions, rows=rows), many))
    assert (found.error.value, found.error.examples) == (single.error.value, 400)
    np.testing.assert_allclose(found.error.high - found.error.low, single.error.high - single.error.low, rtol=0.05)
    assert correlation(single, found) > 0.999


def test_the_interval_of_a_difference_of_shares_is_that_of_newcombe() -> None:
    one, other = (error_table(UNKNOWN, *[answers(hit / n, n)] * 2).levels[0].error for hit, n in ((56, 70), (48, 80)))
    np.testing.assert_allclose(difference(one, other), (0.0524, 0.3339), atol=1e-4)  # 1998, example (a), method 10
