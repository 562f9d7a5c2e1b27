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


# -- under-sampling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("power", "left"), [(1.0, [10, 10, 10]), (0.5, [89, 44, 10]), (0.0, [800, 190, 10])])
def test_under_sampling_leaves_so_many_rows_of_each_class(power, left):
    batch = Batch(5, undersample=power)
    assert np.bincount(CODES[rows_of(batch)]).tolist() == left  # at a half: sqrt(800 * 10), sqrt(190 * 10)
    assert batch.drawn(1000, CODES) == sum(left)


def test_under_sampling_takes_no_row_twice_in_an_epoch_and_others_in_the_next():
    batch, order = Batch(5, undersample=1.0), np.random.default_rng(0)
    one, other = (batch.order(1000, CODES, order) for _ in "ab")
    assert len(set(one)) == len(set(other)) == 30
    assert {row for row in one if CODES[row] == 2} == {row for row in other if CODES[row] == 2}
    assert len({row for row in one if CODES[row] == 0} & {row for row in other if CODES[row] == 0}) < 5


def test_under_sampling_takes_rows_of_a_class_alike_and_mixes_the_classes():
    batch, order = Batch(5, undersample=1.0), np.random.default_rng(0)
    epochs = [batch.order(1000, CODES, order) for _ in range(4000)]
    counts = np.bincount(np.concatenate(epochs), minlength=1000)
    assert counts[:800] == pytest.approx(np.full(800, 50.0), abs=5.5 * 50**0.5)
    first = np.bincount(CODES[[epoch[0] for epoch in epochs]]) / 4000
    assert first == pytest.approx([1 / 3] * 3, abs=0.04)  # standard error 0.0075


def test_under_and_over_sampling_together_draw_from_what_was_left():
    batch, order = Batch(5, oversample=1.0, undersample=0.5), np.random.default_rng(0)
    drawn = np.concatenate([batch.order(1000, CODES, order) for _ in range(300)])
    assert len(drawn) == 300 * 143
    assert np.bincount(CODES[drawn]) / len(drawn) == pytest.approx([1 / 3] * 3, abs=0.015)


def test_regression_and_a_code_that_no_row_has_are_borne_by_under_sampling():
    assert Batch(50, undersample=1.0).drawn(1000, None) == 1000
    assert np.array_equal(np.sort(rows_of(Batch(50, undersample=1.0), classes=None)), np.arange(1000))
    assert Batch(50, undersample=1.0).drawn(3, np.array([0, 2, 2])) == 2


# -- effective numbers ----------------------------------------------------------------------------------------


def test_effective_numbers_weigh_as_the_paper_says():
    weights = balance(CODES, 0.0, 0.99)
    wanted = (1 - 0.99) / (1 - 0.99 ** np.array([800, 190, 10]))
    each = weights[[0, 800, 990]]
    assert each / each[0] == pytest.approx(wanted / wanted[0])
    assert weights.mean() == pytest.approx(1.0)


def test_effective_numbers_end_at_the_numbers_themselves():
    assert balance(CODES, 0.0, 0.999999) == pytest.approx(balance(CODES, 1.0), rel=1e-3)
    assert (balance(CODES, 0.0, 0.0) == 1.0).all()
