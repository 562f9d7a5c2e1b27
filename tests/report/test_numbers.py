import pytest

from steelyard.problem import Score
from steelyard.report.numbers import Format, duration, fitting, fitting_scores, tick


def test_the_decimals_of_scores_follow_their_interval():
    assert fitting_scores([Score(0.87312, 0.8701, 0.8761, 4000)])(0.87312) == "0.8731"
    assert fitting_scores([Score(27431.2, 26000, 28900, 500)])(27431.2) == "27,431"


def test_without_intervals_a_number_has_four_digits():
    assert fitting([0.123456])(0.123456) == "0.1235"
    assert fitting([12.3456])(12.3456) == "12.35"


def test_no_number_has_more_than_five_digits_however_narrow_its_interval():
    assert fitting([0.87312345], [1e-7])(0.87312345) == "0.87312"


def test_very_large_and_very_small_numbers_are_written_with_exponents():
    assert fitting([3.2e9])(3.2e9) == "3.200e+09"
    assert fitting([4e-7])(-4e-7) == "−4.000e−07"


@pytest.mark.parametrize(
    ("value", "written"), [(None, "–"), (float("nan"), "–"), (float("inf"), "∞"), (-0.00001, "0.000"), (-1.5, "−1.500")]
)
def test_odd_numbers_are_written_as_a_person_would(value, written):
    assert Format(3)(value) == written


@pytest.mark.parametrize(("value", "written"), [(0.5, "+0.50"), (-0.5, "−0.50"), (0.001, "0.00"), (None, "–")])
def test_a_difference_carries_its_sign_but_zero_has_none(value, written):
    assert Format(2).signed(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.123, "0.12 s"), (12.3, "12 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"), (4320, "1 h 12 min")],
)
def test_durations_are_said_in_the_units_a_person_uses(seconds, written):
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"), [(20_000, "20k"), (3e6, "3M"), (-0.5, "−0.5"), (0, "0"), (1e-9, "1e−09")]
)
def test_numbers_on_an_axis_are_short(value, written):
    assert tick(value) == written
