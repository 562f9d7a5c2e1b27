import math

import pytest

from steelyard.errors import UserError
from steelyard.knobs import (
    SCHEDULES,
    Constant,
    Cosine,
    Cyclic,
    Demon,
    Exponential,
    FlatCosine,
    Linear,
    OneCycle,
    Piecewise,
    Restarts,
    Step,
    Triangular,
    Warmup,
    carried,
    ends,
    parse_knob,
    scale,
    start,
    value,
    within,
)

EXAMPLES = [
    Linear(0.1, 0.3),
    Linear(3.3333333333e-05, 12345678.9, warmup=0.2),
    Cosine(0.1, 0.0),
    Cosine(0.1, 0.001, warmup=0.05, floor=0.04),
    Cosine(1 / 3, 1e-17),
    FlatCosine(0.1, 0.0, 0.6, warmup=0.1),
    Exponential(0.1, 1e-5),
    Step(0.1),
    Step(0.1, 0.2, milestones=(0.3, 0.6, 0.8)),
    Step(128, 5, 0.3),
    Step(0.1, milestones=(0.5,)),
    OneCycle(0.3),
    OneCycle(0.3, 0.1, 1e-4, 0.25),
    Restarts(0.1, 0.0, 3),
    Restarts(0.1, 0.0, 3, 1.5, warmup=0.1),
    Restarts(0.1, 0.0, T_0=0.1),
    Cyclic(0.1, 0.0),
    Cyclic(0.1, 0.01, 3, warmup=0.05),
    Triangular(0.01, 0.1),
    Triangular(0.01, 0.1, 3, 0.5),
    Warmup(0.1),
    Warmup(0.1, 0.2, 0.5),
    Piecewise((0, 0.0), (0.1, 0.1), (0.5, 0.1), (1, 0)),
    Piecewise((0.5, 1)),
    Demon(0.9),
    Demon(4.0, 1.0, 0.5),
    Constant(0.3),
]
every_example = pytest.mark.parametrize("schedule", EXAMPLES, ids=str)


# -- text -----------------------------------------------------------------------------------------------------


def test_there_is_an_example_of_every_schedule():
    assert {type(schedule) for schedule in EXAMPLES} == set(SCHEDULES.values())


@every_example
def test_a_schedule_survives_its_text_to_the_last_bit(schedule):
    again = parse_knob(str(schedule))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert [value(again, i / 97) for i in range(98)] == [value(schedule, i / 97) for i in range(98)]


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Cosine(0.1, 0, warmup=0.05), "cosine(0.1, 0, warmup=0.05)"),
        (Restarts(3e-4, 0, cycles=3), "sgdr(0.0003, 0, cycles=3)"),
        (Restarts(0.1, 0, T_0=0.1, T_mult=1), "sgdr(0.1, 0, T_mult=1, T_0=0.1)"),
        (Linear(1, 0.5), "linear(1, 0.5)"),
        (Step(0.1, milestones=(0.75, 0.5)), "step(0.1, milestones=(0.75, 0.5))"),
        (Step(0.1, milestones=0.5), "step(0.1, milestones=(0.5,))"),
        (Piecewise((0, 0.1), (0.5, 0.1), (1, 0)), "piecewise((0, 0.1), (0.5, 0.1), (1, 0))"),
        (Linear(1234567, 1e-12), "linear(1234567, 1e-12)"),
    ],
)
def test_the_text_of_a_schedule_is_what_a_person_would_write(schedule, text):
    assert str(schedule) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" cosine( 0.1 ,0, 0.05) ", Cosine(0.1, 0, warmup=0.05)),
        ("linear(end=-1, start=+2)", Linear(2, -1)),
        ("step(0.1, milestones=[0.5, 0.75])", Step(0.1, milestones=(0.5, 0.75))),
        ("sgdr(0.1, 0, cycles=3.0, T_0=None)", Restarts(0.1, 0, 3)),
        ("demon(0.9, bend=None)", Demon(0.9)),
    ],
)
def test_a_schedule_may_be_written_in_several_ways(text, wanted):
    assert parse_knob(text) == wanted


def test_a_number_is_read_from_text_and_from_a_whole_number():
    assert parse_knob("3e-4") == 3e-4
    assert isinstance(parse_knob(1), float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast", r"expected a number or a schedule such as 'cosine\(0.1, 0\)', got 'fast'"),
        ("cosine", "expected a number or a schedule"),
        ("1 +", "expected a number or a schedule"),
        ("", "expected a number or a schedule"),
        ("cosine(0.1", r"expected a schedule such as cosine\(…\), got 'cosine\(0.1'"),
        ("linear(1, 0)(2)", "expected a schedule such as"),
        ("math.cos(1)", "expected a schedule such as"),
        ("-" * 100_000 + "(", "expected a schedule such as"),
        ("cosin(0.1, 0)", "there is no schedule 'cosin'; did you mean 'cosine'"),
        ("Cosine(0.1, 0)", "there is no schedule 'Cosine'; did you mean 'cosine'"),
        ("SGDR(0.1, 0)", "there is no schedule 'SGDR'; did you mean 'sgdr'"),
        ("zigzag(0.1, 0)", "there is no schedule 'zigzag'; there is: cosine, linear, step"),
        ("cosine(0.1)", r"expected cosine\(start, end, warmup, floor\) with numbers"),
        ("cosine(0.1, 0, 0, 0, 0)", "cannot read"),
        ("cosine(0.1, 0, warm=1)", "cosine has no 'warm'; did you mean 'warmup'"),
        ("sgdr(0.1, 0, mult=2)", "sgdr has no 'mult'; did you mean 'T_mult'"),
        ("cosine(0.1, 'a')", "cannot read"),
        ("cosine(0.1, 0, warmup=1, warmup=0)", "cannot read|expected a schedule"),
        ("cosine(0.1, 0, end=1)", "cannot read"),
        ("cosine(__import__('os'), 0)", "cannot read"),
        ("cosine(0.1, *x)", "cannot read"),
        ("cosine(0.1, **{'end': 0})", "cannot read"),
        ("cosine(10**9**9, 0)", "cannot read"),
        ("cosine(1j, 0)", "cannot read"),
        ("cosine(0.1, 0, warmup=nan)", "cannot read"),
        ("cosine(0.1, 0, warmup=2)", "cosine.warmup must lie in 0..1, got 2"),
        ("cosine(0.1, 0, floor=-1)", "cosine.floor must lie in 0.., got -1"),
        ("cosine(1, 0, floor=1e999)", "cosine.floor must be finite, got inf"),
        ("cosine(True, 0)", "cosine.start must be a number, got True"),
        ("cosine(None, 0)", "cosine.start must be a number, got None"),
        ("cosine((0.1, 0), 0)", "cosine.start must be a number"),
        ("sgdr(0.1, 0, cycles=0)", "sgdr.cycles must lie in 1..100, got 0"),
        ("sgdr(0.1, 0, cycles=2.5)", "sgdr.cycles must be a whole number, got 2.5"),
        ("sgdr(0.1, 0, T_0=0)", "sgdr.T_0 must lie in 0.001..1, got 0"),
        ("sgdr(0.1, 0, T_0=0.1, cycles=3)", "sgdr with T_0 needs"),
        ("sgdr(0.1, 0, T_0=0.1, T_mult=0.5)", "sgdr with T_0 needs T_mult of at least 1"),
        ("step(0.1, every=0.5, milestones=(0.5,))", "leave one of the two out"),
        ("step(0.1, milestones=(0.5, 30))", "step.milestones must lie in 0..1, got 30"),
        ("exponential(0.1, 0)", "exponential needs a start and an end above 0, got 0.1 and 0"),
        ("demon(4)", "demon needs a bend"),
        ("piecewise()", r"expected piecewise\(\(progress, value\), …\)"),
        ("piecewise(0, 1)", r"expected piecewise\(\(progress, value\), …\), each point a pair of numbers"),
        ("piecewise((0, 1, 2))", "each point a pair of numbers"),
        ("piecewise((0.5, 1), (0.2, 0))", "must go forward in progress"),
        ("piecewise((0, 1), (30, 0))", "progress in piecewise must lie in 0..1, got 30"),
        ("piecewise((0, 1), (1, True))", "piecewise must be a number, got True"),
    ],
)
def test_what_is_no_knob_is_the_users_error(text, said):
    with pytest.raises(UserError, match=said):
        parse_knob(text)


def test_schedules_made_in_python_are_checked_as_those_in_text():
    for make in (lambda: Cosine(0.1, 0.0, math.nan), lambda: Restarts(0.1, 0.0, 2.5), lambda: Linear("0.1", 0.0)):
        with pytest.raises(UserError, match=r"must be (finite|a whole number|a number), got"):
            make()


@pytest.mark.parametrize(
    "text",
    ["cosine(1e999, 0)", "linear(1" + "0" * 400 + ", 0)", "step(1, factor=100, every=0.001)", "piecewise((0, -1e999))"],
)
def test_a_value_beyond_all_numbers_is_refused_by_whoever_holds_the_knob(text):
    with pytest.raises(UserError, match="lr must be finite, got"):
        within(parse_knob(text).extremes(), {"low": 0.0, "high": None}, "lr", text)


# -- use ------------------------------------------------------------------------------------------------------


@every_example
def test_scaling_a_schedule_scales_every_value(schedule):
    half = scale(schedule, 0.5)
    at = [i / 96 for i in range(97)]
    # within a rounding: the product of two numbers is not the product of their sums to the last bit
    assert [value(half, t) for t in at] == pytest.approx([0.5 * value(schedule, t) for t in at], rel=1e-12)
    assert start(half) == pytest.approx(0.5 * start(schedule))


def test_a_constant_is_its_own_start_and_value():
    assert (value(0.3, 0.9), start(0.3), scale(0.3, 2), ends(0.3)) == (0.3, 0.3, 0.6, (1.0,))


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (Linear(0.1, 0.3), 0.1),
        (Cosine(0.1, 0.0, warmup=0.5), 0.1),
        (OneCycle(0.3), 0.3),
        (Triangular(0.01, 0.1), 0.1),
        (Warmup(0.2), 0.2),
        (Piecewise((0, 0), (0.1, 0.4), (1, 0.1)), 0.4),
        (Constant(0.7), 0.7),
    ],
)
def test_a_schedule_is_named_by_where_it_starts_or_by_the_peak_it_rises_to(schedule, name):
    assert start(schedule) == name


def test_another_shape_of_a_knob_keeps_its_start_its_end_and_its_warm_up():
    assert carried(0.1) == {"start": 0.1, "end": 0.0, "warmup": 0.0, "floor": 0.0}
    assert carried(Cosine(0.1, 0.01, 0.2, 0.5)) == {"start": 0.1, "end": 0.01, "warmup": 0.2, "floor": 0.5}
    assert carried(Warmup(0.1, 0.2)) == {"start": 0.1, "end": 0.0, "warmup": 0.2, "floor": 0.0}
    assert carried(OneCycle(0.1)) == {"start": 0.1, "end": 0.0, "warmup": 0.0, "floor": 0.0}


def test_a_peak_between_any_two_looks_is_still_seen_to_leave_a_range():
    spike = Piecewise((0, 0.1), (0.501, 0.1), (0.502, 2), (0.503, 0.1))
    assert max(value(spike, i / 20) for i in range(21)) == 0.1
    with pytest.raises(UserError, match=r"dropout must lie in 0..0.95, got piecewise\(\(0, 0.1\)"):
        within(spike.extremes(), {"low": 0.0, "high": 0.95}, "dropout", spike)
    within(Cosine(0.95, 0.0).extremes(), {"low": 0.0, "high": 0.95}, "dropout", "")
