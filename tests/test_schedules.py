"""Schedules against the formulas of their sources, and against PyTorch's own where it has them."""

import math

import numpy as np
import pytest
import torch

from steelyard.knobs import (
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
    Schedule,
    Step,
    Triangular,
    Warmup,
    ends,
    parse_knob,
)

JUST = 1e-9  # before or after


def at(schedule, *times):
    return [schedule.at(time) for time in times]


# -- down once ------------------------------------------------------------------------------------------------


def test_linear_starts_and_ends_where_it_says_to_the_last_bit():
    assert at(Linear(0.1, 0.3), 0, 1) == [0.1, 0.3]
    assert Linear(0.1, 0.3).at(0.5) == pytest.approx(0.2)


def test_cosine_falls_from_start_through_the_middle_to_end():
    assert at(Cosine(0.4, 0.2), 0, 1) == [0.4, 0.2]
    assert at(Cosine(0.4, 0.2), 0.25, 0.5) == pytest.approx([0.3 + 0.1 / math.sqrt(2), 0.3])


def test_cosine_rises_in_a_line_over_the_warm_up():
    schedule = Cosine(0.4, 0.0, warmup=0.2, floor=0.5)
    assert at(schedule, 0, 0.1, 0.2, 0.6, 1) == pytest.approx([0.2, 0.3, 0.4, 0.2, 0.0])


def test_a_floor_above_one_makes_the_warm_up_a_descent():
    assert at(Cosine(0.8, 0.9, warmup=0.5, floor=1.25), 0, 0.25, 0.5, 1) == pytest.approx([1.0, 0.9, 0.8, 0.9])


def test_a_warm_up_over_all_of_training_has_no_descent():
    assert at(Cosine(0.4, 0.4, warmup=1.0), 0, 0.5, 1) == pytest.approx([0, 0.2, 0.4])


@pytest.mark.parametrize("word", ["linear", "cosine", "flat_cosine", "exponential", "sgdr", "cyclic"])
def test_a_warm_up_squeezes_the_rest_of_a_schedule_behind_it(word):
    extra = ", flat=0.3" if word == "flat_cosine" else ""
    warmed, plain = parse_knob(f"{word}(0.4, 0.1, warmup=0.25{extra})"), parse_knob(f"{word}(0.4, 0.1)")
    assert at(warmed, 0, 0.125) == pytest.approx([0, 0.2])
    if not extra:
        rest = [i / 16 for i in range(17)]
        assert [warmed.at(0.25 + 0.75 * t) for t in rest] == pytest.approx([plain.at(t) for t in rest])


def test_the_plateau_of_flat_cosine_and_the_drops_of_step_are_timed_from_the_start_of_training():
    assert at(FlatCosine(0.4, 0.0, 0.5, warmup=0.25), 0.125, 0.25, 0.5, 0.75, 1) == pytest.approx(
        [0.2, 0.4, 0.4, 0.2, 0]
    )
    assert at(Step(0.4, 0.5, milestones=(0.5,), warmup=0.25), 0.125, 0.25, 0.5, 1) == pytest.approx(
        [0.2, 0.4, 0.2, 0.2]
    )


def test_flat_cosine_without_a_plateau_is_the_cosine_and_with_nothing_else_is_constant():
    times = [i / 50 for i in range(51)]
    assert at(FlatCosine(0.4, 0.1, 0.0), *times) == at(Cosine(0.4, 0.1), *times)
    assert at(FlatCosine(0.4, 0.1, 1.0), *times) == [0.4] * 51


def test_exponential_loses_the_same_factor_in_equal_times():
    assert at(Exponential(1.0, 1e-4), 0, 0.25, 0.5, 0.75, 1) == pytest.approx([1, 1e-1, 1e-2, 1e-3, 1e-4])


def test_demon_lets_the_total_weight_of_a_gradient_fall_in_a_line():
    beta = Demon(0.9)
    weight = [beta.at(t) / (1 - beta.at(t)) for t in (0, 0.25, 0.5, 0.75, 1)]
    assert weight == pytest.approx([9, 6.75, 4.5, 2.25, 0])
    assert beta.at(0.5) == pytest.approx(0.9 * 0.5 / ((1 - 0.9) + 0.9 * 0.5))


def test_demon_without_a_bend_is_a_line():
    assert at(Demon(4.0, 2.0, bend=0.0), 0, 0.25, 1) == pytest.approx([4, 3.5, 2])


# -- in pieces ------------------------------------------------------------------------------------------------


def test_step_drops_at_every_third_but_not_at_the_end():
    assert at(Step(1.0), 0, 1 / 3 - JUST * 2, 1 / 3, 2 / 3, 1) == pytest.approx([1, 1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("epochs", [7, 10, 30, 90])
def test_regular_drops_fall_on_the_epochs_they_belong_to(epochs):
    for times in range(2, epochs + 1):
        schedule = Step(1.0, 0.5, every=times / epochs)
        wanted = [0.5 ** (epoch // times) for epoch in range(epochs)]
        assert [schedule.at(epoch / epochs) for epoch in range(epochs)] == wanted


def test_step_drops_at_its_milestones_in_whatever_order_they_are_given():
    for milestones in ((0.5, 0.75), (0.75, 0.5)):
        schedule = Step(1.0, milestones=milestones)
        assert at(schedule, 0.49, 0.5, 0.74, 0.75, 1) == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])


def test_step_may_also_go_up():
    assert at(Step(128, 5, milestones=(0.3, 0.6, 0.8)), 0, 0.3, 0.6, 0.8) == [128, 640, 3200, 16000]


def test_piecewise_goes_straight_from_point_to_point_and_stays_outside():
    schedule = Piecewise((0.1, 0.2), (0.5, 0.4), (0.9, 0.0))
    assert at(schedule, 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1) == pytest.approx([0.2, 0.2, 0.3, 0.4, 0.2, 0.0, 0.0])


def test_piecewise_jumps_between_points_of_one_moment():
    assert at(Piecewise((0, 1), (0.5, 1), (0.5, 3), (1, 3)), 0, 0.5 - JUST, 0.5, 1) == [1, 1, 3, 3]


def test_a_warm_up_alone_rises_and_stays():
    assert at(Warmup(0.4, 0.2, 0.25), 0, 0.1, 0.2, 1) == pytest.approx([0.1, 0.25, 0.4, 0.4])
    assert at(Warmup(0.4, 0.0), 0, 1) == [0.4, 0.4]
    assert at(Constant(0.4), 0, 0.5, 1) == [0.4] * 3


# -- up and down ----------------------------------------------------------------------------------------------


def test_one_cycle_goes_up_and_down_in_lines_and_then_lower_still():
    schedule = OneCycle(1.0, first=0.1, last=0.001, tail=0.2)
    assert at(schedule, 0, 0.2, 0.4, 0.6, 0.8, 0.9, 1) == pytest.approx([0.1, 0.55, 1, 0.55, 0.1, 0.0505, 0.001])
    assert OneCycle(1.0, tail=0.0).at(1.0) == pytest.approx(0.04)
    assert at(OneCycle(1.0, tail=1.0), 0, 1) == pytest.approx([0.04, 0.0])


def test_restarts_begin_anew_after_cycles_that_double():
    schedule = Restarts(1.0, 0.0, cycles=3)  # cycles of 1, 2 and 4 sevenths
    for border in (1 / 7, 3 / 7):
        assert schedule.at(border - JUST) == pytest.approx(0.0, abs=1e-6)
        assert schedule.at(border) == pytest.approx(1.0)
    assert at(schedule, 2 / 7, 5 / 7) == pytest.approx([0.5, 0.5])
    assert schedule.at(1.0) == 0.0
    assert ends(schedule) == pytest.approx((1 / 7, 3 / 7, 1))


def test_the_first_cycle_may_be_given_and_the_last_is_cut_by_the_end_of_training():
    schedule = Restarts(1.0, 0.0, T_0=0.2, T_mult=1.5)  # cycles of 0.2, 0.3, 0.45 and 0.05 of 0.675
    assert ends(schedule) == pytest.approx((0.2, 0.5, 0.95, 1.0))
    assert at(schedule, 0.1, 0.35, 0.725) == pytest.approx([0.5] * 3)
    assert schedule.at(1.0) == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.05 / 0.675)))


def test_a_first_cycle_that_fits_is_the_same_as_so_many_whole_cycles():
    for cycles, mult in ((1, 2.0), (3, 2.0), (4, 1.0), (5, 1.3)):
        first = 1 / sum(mult**i for i in range(cycles))
        one, other = Restarts(0.1, 0.01, cycles, mult), Restarts(0.1, 0.01, T_0=first, T_mult=mult)
        times = [i / 997 for i in range(998)]
        assert at(one, *times) == pytest.approx(at(other, *times))
        assert ends(one) == pytest.approx(ends(other))


def test_one_cycle_of_restarts_is_the_cosine_bit_for_bit():
    for warmup in (0.0, 0.13):
        one, other = Restarts(0.017, 1e-5, 1, warmup=warmup), Cosine(0.017, 1e-5, warmup=warmup)
        assert [one.at(i / 977) for i in range(978)] == [other.at(i / 977) for i in range(978)]


def test_cyclic_is_equation_2_of_the_snapshot_ensembles():
    steps, cycles, rate = 300, 6, 0.1
    schedule, length = Cyclic(rate, 0.0, cycles), math.ceil(steps / cycles)
    for t in range(1, steps + 1):
        wanted = rate / 2 * (math.cos(math.pi * ((t - 1) % length) / length) + 1)
        assert schedule.at((t - 1) / steps) == pytest.approx(wanted, abs=1e-12)


def test_snapshots_are_due_where_equal_cycles_end_after_the_warm_up():
    assert ends(Cyclic(0.1, 0.0, 4)) == (0.25, 0.5, 0.75, 1.0)
    assert ends(Cyclic(0.1, 0.0, 2, warmup=0.2)) == pytest.approx((0.6, 1.0))
    assert ends(Restarts(0.1, 0.0, 2, 1.0, warmup=0.2)) == pytest.approx((0.6, 1.0))
    assert ends(Triangular(0.0, 0.1, 2)) == (0.5, 1.0)
    assert ends(Cosine(0.1, 0.0)) == (1.0,)
    assert ends(Restarts(0.1, 0.0, 3, warmup=1.0)) == (1.0,)


def test_the_rate_is_lowest_right_before_the_end_of_each_cycle():
    for schedule in (Cyclic(1.0, 0.1, 3), Restarts(1.0, 0.1, 3), Restarts(1.0, 0.1, T_0=0.25, T_mult=1)):
        assert [schedule.at(end - JUST) for end in ends(schedule)] == pytest.approx([0.1] * len(ends(schedule)))
        assert [schedule.at(end) for end in ends(schedule)[:-1]] == pytest.approx([1.0] * (len(ends(schedule)) - 1))


def test_triangles_have_their_tops_in_the_middle_and_shrink_when_told():
    assert at(Triangular(1.0, 3.0, 2), 0, 0.125, 0.25, 0.5, 0.75, 1) == pytest.approx([1, 2, 3, 1, 3, 1])
    assert at(Triangular(1.0, 3.0, 2, decay=0.5), 0.25, 0.5, 0.75, 1) == pytest.approx([3, 1, 2, 1])


# -- as others have them --------------------------------------------------------------------------------------


def theirs(make, steps, rate=0.1):
    """The rates that a scheduler of PyTorch sets for so many steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


LR = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("schedule", "make", "steps"),
    [
        (Restarts(0.1, 0.0, 3), lambda o: LR.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2), 70),
        (Restarts(0.1, 0.01, T_0=0.1, T_mult=3), lambda o: LR.CosineAnnealingWarmRestarts(o, 10, 3, 0.01), 100),
        (Step(0.1, 0.3, 0.2), lambda o: LR.StepLR(o, 20, 0.3), 100),
        (Step(0.1, milestones=(0.5, 0.75)), lambda o: LR.MultiStepLR(o, [50, 75]), 100),
        (Exponential(0.1, 0.1 * 0.95**60), lambda o: LR.ExponentialLR(o, 0.95), 60),
        (Linear(0.1, 0.01), lambda o: LR.LinearLR(o, 1.0, 0.1, total_iters=50), 50),
        (Warmup(0.1, 0.2, 0.1), lambda o: LR.LinearLR(o, 0.1, 1.0, total_iters=10), 50),
        (Triangular(0.01, 0.1, 4), lambda o: LR.CyclicLR(o, 0.01, 0.1, 10, cycle_momentum=False), 80),
        (Triangular(0.01, 0.1, 4, 0.5), lambda o: LR.CyclicLR(o, 0.01, 0.1, 10, None, "triangular2"), 80),
    ],
    ids=lambda given: str(given) if isinstance(given, Schedule) else "",
)
def test_a_schedule_sets_the_rates_that_pytorch_sets(schedule, make, steps):
    assert [schedule.at(step / steps) for step in range(steps)] == pytest.approx(theirs(make, steps), abs=1e-9)


# -- whatever they are told -----------------------------------------------------------------------------------


def drawn(random: np.random.Generator) -> list[Schedule]:
    """One of each, with arguments drawn from their ranges."""
    a, b = (float(v) for v in 10.0 ** random.uniform(-8, 3, 2))
    share, other, third = (float(v) for v in random.uniform(0, 1, 3))
    warm = {"warmup": float(random.choice([0.0, share, 1.0])), "floor": float(random.choice([0.0, other, 2.0]))}
    cycles = int(random.integers(1, 12))
    return [
        Linear(a, b, **warm),
        Linear(-a, a, **warm),
        Cosine(a, b, **warm),
        Cosine(a, a, **warm),
        FlatCosine(a, b, third, **warm),
        Exponential(a, b, **warm),
        Step(a, third * 2, max(other, 0.05), **warm),
        Step(a, third, milestones=(share, other), **warm),
        OneCycle(a, share, other, third),
        Restarts(a, b, cycles, 0.5 + share * 2, **warm),
        Restarts(a, b, T_mult=1 + third, T_0=max(other, 0.01), **warm),
        Cyclic(a, b, cycles, **warm),
        Triangular(a, b, cycles, third),
        Warmup(a, share, other),
        Piecewise(*((float(time), float(random.normal())) for time in np.sort(random.uniform(0, 1, 5)))),
        Demon(a, b, share * 0.999),
        Demon(share),
        Constant(a),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_no_value_is_beyond_the_extremes_and_no_text_loses_a_bit(seed):
    random = np.random.default_rng(seed)
    for schedule in drawn(random):
        times = [0.0, 1.0, *ends(schedule), *(float(t) for t in random.uniform(0, 1, 40)), *(i / 20 for i in range(21))]
        low, high = min(schedule.extremes()), max(schedule.extremes())
        for time in times:
            assert low <= schedule.at(time) <= high, (str(schedule), time)
        assert parse_knob(str(schedule)) == schedule
        assert list(ends(schedule)) == sorted(set(ends(schedule))) and ends(schedule)[-1] == 1.0
