import numpy as np
import pytest

from steelyard.data.batches import Batch, balance
from steelyard.knobs import parse_knob

CODES = np.repeat([0, 1, 2], [800, 190, 10])


def rows_of(batch, epochs=1, classes=CODES, rows=1000):
    order = np.random.default_rng(0)
    return np.concatenate([batch.order(rows, classes, order) for _ in range(epochs)])


def shares(oversample):
    return np.bincount(CODES[rows_of(Batch(50, oversample), epochs=40)], minlength=3) / 40_000


def test_without_over_sampling_every_row_comes_once_an_epoch_in_random_order():
    rows = rows_of(Batch(50))
    assert np.array_equal(np.sort(rows), np.arange(1000))
    assert not np.array_equal(rows, np.arange(1000))


def test_fully_over_sampled_classes_come_equally_often():
    assert shares(1.0) == pytest.approx([1 / 3] * 3, abs=0.015)  # 40,000 draws: standard error 0.0024


def test_half_over_sampled_classes_come_in_proportion_to_the_root_of_their_counts():
    roots = np.sqrt([800, 190, 10])
    assert shares(0.5) == pytest.approx(roots / roots.sum(), abs=0.015)


def test_over_sampling_draws_rows_of_a_class_alike():
    counts = np.bincount(rows_of(Batch(50, 1.0), epochs=40), minlength=1000)[990:]
    assert counts.min() > 0.8 * counts.max()


def test_regression_has_no_classes_to_over_sample():
    assert np.array_equal(np.sort(rows_of(Batch(50, 1.0), classes=None)), np.arange(1000))


def test_a_batch_is_never_larger_than_the_data():
    assert Batch(300).size_at(0.0, 1000) == 300
    assert Batch(300).size_at(0.0, 7) == 7


def test_a_scheduled_size_is_rounded_and_at_least_one():
    growing = Batch(parse_knob("linear(1, 100)"))
    assert [growing.size_at(progress, 1000) for progress in (0.0, 0.5, 1.0)] == [1, 50, 100]


def test_balance_at_power_one_gives_every_class_the_same_total():
    weights = balance(CODES, 1.0)
    totals = np.bincount(CODES, weights)
    assert totals == pytest.approx([1000 / 3] * 3)
    assert weights.mean() == pytest.approx(1.0)


def test_balance_at_power_zero_is_exactly_one():
    assert (balance(CODES, 0.0) == 1.0).all()


def test_balance_bears_a_code_that_no_row_has():
    assert balance(np.array([0, 2, 2]), 1.0) == pytest.approx([1.5, 0.75, 0.75])
