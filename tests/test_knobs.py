import math

import pytest

from steelyard.errors import UserError
from steelyard.knobs import Cosine, Linear, Restarts, parse_knob, scale, start, value

SCHEDULES = [
    Linear(0.1, 0.3),
    Cosine(0.1, 0.0),
    Cosine(0.1, 0.001, warmup=0.05, floor=0.04),
    Restarts(0.1, 0.0, 3),
    Restarts(0.1, 0.0, 3, 1.5, warmup=0.1),
    Cosine(1 / 3, 1e-17),
    Linear(3.3333333333e-05, 12345678.9),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_schedule_survives_its_text_to_the_last_bit(schedule):
    assert parse_knob(str(schedule)) == schedule


def test_the_text_of_a_schedule_is_what_a_person_would_write():
    assert str(Cosine(0.1, 0, warmup=0.05)) == "cosine(0.1, 0, warmup=0.05)"
    assert str(Restarts(3e-4, 0, cycles=3)) == "sgdr(0.0003, 0, cycles=3)"
    assert str(Linear(1, 0.5)) == "linear(1, 0.5)"


def test_a_number_is_read_from_text_and_from_a_whole_number():
    assert parse_knob("3e-4") == 3e-4
    assert isinstance(parse_knob(1), float)


def test_linear_starts_and_ends_where_it_says():
    assert [Linear(0.1, 0.3).at(t) for t in (0, 0.5, 1)] == pytest.approx([0.1, 0.2, 0.3])


def test_cosine_falls_from_start_through_the_middle_to_end():
    assert [Cosine(0.4, 0.2).at(t) for t in (0, 0.5, 1)] == pytest.approx([0.4, 0.3, 0.2])


def test_cosine_rises_in_a_line_over_the_warm_up():
    schedule = Cosine(0.4, 0.0, warmup=0.2, floor=0.5)
    assert [schedule.at(t) for t in (0, 0.1, 0.2, 1)] == pytest.approx([0.2, 0.3, 0.4, 0.0])


def test_a_warm_up_over_all_of_training_has_no_descent():
    assert [Cosine(0.4, 0.4, warmup=1.0).at(t) for t in (0, 0.5, 1)] == pytest.approx([0, 0.2, 0.4])


def test_restarts_begin_anew_after_cycles_that_double():
    schedule = Restarts(1.0, 0.0, cycles=3)  # cycles of 1, 2 and 4 sevenths
    just_before, after = 1e-9, 0.0
    for border in (1 / 7, 3 / 7):
        assert schedule.at(border - just_before) == pytest.approx(0.0, abs=1e-6)
        assert schedule.at(border + after + 1e-12) == pytest.approx(1.0, abs=1e-6)
    assert schedule.at(2 / 7) == pytest.approx(0.5)
    assert schedule.at(1.0) == pytest.approx(0.0)


def test_one_cycle_of_restarts_is_the_cosine_bit_for_bit():
    for warmup in (0.0, 0.13):
        one, other = Restarts(0.017, 1e-5, 1, warmup=warmup), Cosine(0.017, 1e-5, warmup=warmup)
        assert [one.at(i / 977) for i in range(978)] == [other.at(i / 977) for i in range(978)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_scaling_a_schedule_scales_every_value(schedule):
    twice = scale(schedule, 2.0)
    assert [value(twice, i / 9) for i in range(10)] == pytest.approx([2 * value(schedule, i / 9) for i in range(10)])


def test_a_constant_is_its_own_start_and_value():
    assert (value(0.3, 0.9), start(0.3), scale(0.3, 2)) == (0.3, 0.3, 0.6)


def test_a_schedule_is_named_by_its_first_value():
    assert start(Linear(0.1, 0.3)) == 0.1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast", "expected a number or a schedule"),
        ("cosine", "expected a number or a schedule"),
        ("1 +", "expected a number or a schedule"),
        ("", "expected a number or a schedule"),
        ("cosin(0.1, 0)", "did you mean 'cosine'"),
        ("cosine(0.1)", r"expected cosine\(start, end, warmup, floor\) with numbers"),
        ("cosine(0.1, 0, warm=1)", "cannot read"),
        ("cosine(0.1, 'a')", "cannot read"),
        ("cosine(__import__('os'), 0)", "cannot read"),
        ("cosine(0.1, *x)", "cannot read"),
        ("cosine(0.1, 0, warmup=2)", "cosine needs warmup in 0..1, got 2"),
        ("sgdr(0.1, 0, cycles=0)", "sgdr needs cycles in 1..100, got 0"),
        ("cosine(0.1, 0, warmup=nan)", "cannot read"),
    ],
)
def test_what_is_no_knob_is_the_users_error(text, said):
    with pytest.raises(UserError, match=said):
        parse_knob(text)


def test_every_schedule_is_finite_all_along():
    for schedule in SCHEDULES:
        assert all(math.isfinite(schedule.at(i / 100)) for i in range(101))
