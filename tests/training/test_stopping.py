"""Stopping rules on curves made by hand, with numbers worked out by hand."""

import math
import random

import pytest

from steelyard.errors import UserError
from steelyard.training.stopping import (
    GL,
    PQ,
    UP,
    Patience,
    Rule,
    Stop,
    Stopping,
    generalization_loss,
    progress,
    replay,
)

FLAT = [1.0] * 30  # a training loss that makes no progress
RULES = [GL(2), PQ(0.5), PQ(0.75, k=3), UP(3), UP(2, k=1), Patience(5), Patience(10, threshold=0.01)]


def epochs_that_stop(rule: Rule, train: list[float], held: list[float]) -> list[int]:
    return [t for t in range(1, len(held) + 1) if rule.stops(train[:t], held[:t])]


# -- the formulas -----------------------------------------------------------------------------------------------


def test_generalization_loss_is_the_rise_over_the_lowest_held_loss_in_percent():
    assert generalization_loss([2.0, 0.8, 0.5, 0.6]) == pytest.approx(20.0)  # 100 (0.6 / 0.5 - 1)
    assert generalization_loss([2.0, 0.8, 0.5]) == 0.0


def test_progress_is_the_mean_training_loss_of_the_strip_over_its_lowest_in_thousandths():
    strip = [0.50, 0.45, 0.40, 0.42, 0.43]  # sum 2.2, lowest 0.40
    assert progress([9.0, 9.0, *strip]) == pytest.approx(100.0)  # 1000 (2.2 / (5 · 0.40) - 1)
    assert progress([9.0, 0.5, 0.4], k=2) == pytest.approx(125.0)  # 1000 (0.9 / (2 · 0.4) - 1)
    assert progress(FLAT) == 0.0


def test_gl_stops_after_the_first_epoch_at_which_the_rise_exceeds_alpha():
    held = [1.0, 0.5, 0.505, 0.52, 0.49, 0.499, 0.51]  # GL: 0, 0, 1, 4, 0, 1.8, 4.1
    assert epochs_that_stop(GL(3), FLAT, held) == [4, 7]
    assert epochs_that_stop(GL(4.05), FLAT, held) == [7]
    assert epochs_that_stop(GL(5), FLAT, held) == []


def test_pq_stops_when_the_rise_over_the_progress_exceeds_alpha():
    train = [0.50, 0.45, 0.40, 0.42, 0.43]  # P = 100
    held = [1.0, 0.8, 0.5, 0.6, 0.8]  # GL = 60, so PQ = 0.6
    assert PQ(0.59).stops(train, held)
    assert not PQ(0.61).stops(train, held)


def test_pq_looks_only_after_every_kth_epoch():
    held = [0.1, *[1.0] * 20]
    assert epochs_that_stop(PQ(0.5), FLAT, held) == [5, 10, 15, 20]
    assert epochs_that_stop(PQ(0.5, k=7), FLAT, held) == [7, 14, 21]


def test_pq_waits_while_training_makes_quick_progress():
    held = [1.0, 0.5, 0.6, 0.6, 0.6]  # GL = 20
    assert PQ(0.5).stops([1.00, 1.00, 0.99, 0.99, 0.98], held)  # P = 12.2
    assert not PQ(0.5).stops([1.00, 0.90, 0.80, 0.70, 0.60], held)  # P = 333


def test_up_stops_after_so_many_successive_rises_from_the_end_of_one_strip_to_the_next():
    held = [9, 1.0, 9, 2.0, 9, 1.5, 9, 1.6, 9, 1.7, 9, 1.8]  # ends of strips of two: 1, 2, 1.5, 1.6, 1.7, 1.8
    assert epochs_that_stop(UP(1, k=2), FLAT, held) == [4, 8, 10, 12]
    assert epochs_that_stop(UP(2, k=2), FLAT, held) == [10, 12]
    assert epochs_that_stop(UP(3, k=2), FLAT, held) == [12]
    assert epochs_that_stop(UP(4, k=2), FLAT, held) == []


def test_up_needs_a_strip_before_the_first_rise():
    rising = [1.0 + i for i in range(30)]
    assert epochs_that_stop(UP(1), FLAT, rising)[0] == 10
    assert epochs_that_stop(UP(3), FLAT, rising)[0] == 20


def test_up_takes_an_equal_loss_for_no_rise():
    assert epochs_that_stop(UP(1, k=1), FLAT, [1.0, 1.0, 1.0]) == []


def test_up_agrees_with_its_recursive_definition():
    def recursive(held: list[float], s: int, k: int) -> bool:
        t = len(held)
        if t % k or t < 2 * k:
            return False
        return held[t - 1] > held[t - k - 1] and (s == 1 or recursive(held[: t - k], s - 1, k))

    stream = random.Random(0)
    stops = 0
    for _ in range(300):
        held = [stream.random() for _ in range(stream.randrange(1, 30))]
        s, k = stream.randrange(1, 4), stream.randrange(1, 5)
        assert UP(s, k=k).stops(held, held) == recursive(held, s, k)
        stops += recursive(held, s, k)
    assert stops > 20


def test_patience_stops_after_so_many_epochs_without_a_lower_loss():
    held = [1.0, 0.9, 0.95, 0.9, 0.8, 0.81, 0.82, 0.83]
    assert epochs_that_stop(Patience(2), FLAT, held) == [4, 7, 8]
    assert epochs_that_stop(Patience(3), FLAT, held) == [8]


def test_patience_counts_only_improvements_by_more_than_its_share_of_the_best_loss():
    held = [1.00, 0.95, 0.91]  # neither is more than a tenth below 1
    assert epochs_that_stop(Patience(2, threshold=0.1), FLAT, held) == [3]
    assert epochs_that_stop(Patience(2, threshold=0.08), FLAT, held) == []


def test_patience_lets_small_steps_down_add_up():
    held = [1 - 0.04 * i for i in range(20)]  # more than a tenth in three epochs
    assert epochs_that_stop(Patience(3, threshold=0.1), FLAT, held) == []
    assert epochs_that_stop(Patience(2, threshold=0.1), FLAT, held)[0] == 3


@pytest.mark.parametrize("rule", [*RULES, Patience(1), GL(0), UP(1, k=1), PQ(0, k=2)], ids=str)
def test_no_rule_stops_on_a_held_loss_that_falls(rule):
    falling = [2 * 0.97**i for i in range(200)]
    assert epochs_that_stop(rule, falling, falling) == []
    assert epochs_that_stop(rule, [1.0] * 200, falling) == []


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_rule_stops_on_a_held_loss_that_goes_on_rising(rule):
    rising = [1.0 - 0.1 * i for i in range(5)] + [0.6 + 0.05 * i for i in range(60)]
    assert epochs_that_stop(rule, [1.0] * 65, rising)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_no_rule_stops_before_there_is_an_epoch(rule):
    assert not rule.stops([], [])


# -- odd losses -------------------------------------------------------------------------------------------------


def test_shares_of_losses_below_zero_are_shares_of_their_size():
    assert generalization_loss([1.0, -2.0, -1.5]) == pytest.approx(25.0)
    assert progress([-1.0, -2.0], k=2) == pytest.approx(250.0)
    assert epochs_that_stop(Patience(1, threshold=0.1), FLAT, [-1.0, -1.05]) == [2]
    assert epochs_that_stop(Patience(1, threshold=0.1), FLAT, [-1.0, -1.15]) == []


def test_any_rise_above_a_loss_of_zero_is_infinite_and_staying_there_is_none():
    assert generalization_loss([1.0, 0.0, 1e-9]) == math.inf
    assert generalization_loss([1.0, 0.0, 0.0]) == 0.0
    assert GL(5).stops([1.0] * 3, [1.0, 0.0, 1e-9])
    assert epochs_that_stop(PQ(0.5, k=2), [0.0] * 4, [1.0, 0.0, 0.0, 0.1]) == [4]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_a_rise_and_never_the_best(bad):
    held = [1.0, 0.5, *[bad] * 8]
    assert epochs_that_stop(GL(5), FLAT, held)[0] == 3
    assert epochs_that_stop(PQ(0.5), FLAT, held) == [5, 10]
    assert epochs_that_stop(Patience(2), FLAT, held)[0] == 4
    assert replay(Patience(2), FLAT[:10], held) == Stop(4, 2, 0.5)


# -- replaying --------------------------------------------------------------------------------------------------


def test_a_replay_gives_the_first_stop_and_the_best_epoch_up_to_there():
    held = [1.0, 0.5, 0.505, 0.52, 0.1]
    assert replay(GL(3), FLAT[:5], held) == Stop(epoch=4, best_epoch=2, best_loss=0.5)


def test_the_best_epoch_is_the_first_of_equals():
    assert replay(Patience(3), FLAT[:5], [1.0, 0.5, 0.5, 0.5, 0.5]) == Stop(5, 2, 0.5)


def test_a_replay_of_a_run_that_no_rule_stops_is_none():
    assert replay(Patience(3), FLAT[:5], [5.0, 4.0, 3.0, 2.0, 1.0]) is None
    assert replay(GL(1), [], []) is None


def test_a_rule_leaves_the_curves_as_they_are():
    train, held = [1.0, 0.9, 0.8], [1.0, 0.5, 0.9]
    for rule in RULES:
        replay(rule, train, held)
    assert (train, held) == ([1.0, 0.9, 0.8], [1.0, 0.5, 0.9])


def test_curves_of_different_lengths_cannot_be_replayed():
    with pytest.raises(ValueError, match="got 3 and 2"):
        replay(GL(1), [1.0, 1.0, 1.0], [1.0, 1.0])


# -- text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [*RULES, GL(1 / 3), UP(1, k=1)], ids=str)
def test_a_rule_survives_its_text(rule):
    assert Rule.parse(str(rule)) == rule


def test_the_text_of_a_rule_is_what_a_person_would_write():
    written = [
        "GL(2)",
        "PQ(0.5)",
        "PQ(0.75, k=3)",
        "UP(3)",
        "UP(2, k=1)",
        "patience(5)",
        "patience(10, threshold=0.01)",
    ]
    assert [str(rule) for rule in RULES] == written


def test_the_words_may_be_written_small_or_large():
    read = [Rule.parse(text) for text in ("gl(2)", "pq(0.5, 3)", " up(s=3)", "Patience(4)")]
    assert read == [GL(2), PQ(0.5, k=3), UP(3), Patience(4)]


def test_a_whole_number_may_be_written_with_a_point():
    assert Rule.parse("UP(3.0)").stops(FLAT, [1.0 + i for i in range(30)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GQ(2)", "there is no stopping rule 'GQ'; there is: GL, PQ, UP, patience"),
        ("patiense(3)", "there is no stopping rule 'patiense'; did you mean 'patience'"),
        ("5", "expected a stopping rule such as GL"),
        ("GL()", r"expected GL\(alpha\) with numbers"),
        ("PQ(0.5, 5, 5)", r"expected PQ\(alpha, k\) with numbers"),
        ("UP('a')", r"expected UP\(s, k\) with numbers"),
        ("UP(True)", r"expected UP\(s, k\) with numbers"),
        ("GL(-1)", "GL.alpha must lie in 0.., got -1"),
        ("GL(1e999)", "GL.alpha must be finite"),
        ("UP(0)", "UP.s must lie in 1.., got 0"),
        ("UP(2.5)", "UP.s must be a whole number, got 2.5"),
        ("PQ(0.5, k=1)", "PQ.k must lie in 2.., got 1"),
        ("patience(0)", "patience.epochs must lie in 1.., got 0"),
        ("patience(5, threshold=2)", "patience.threshold must lie in 0..1, got 2"),
    ],
)
def test_a_rule_that_cannot_be_read_is_the_users_error(text, said):
    with pytest.raises(UserError, match=said):
        Rule.parse(text)


# -- the part ---------------------------------------------------------------------------------------------------


def test_there_is_no_rule_unless_one_is_given():
    assert Stopping().rule is None
    assert Stopping.read({"rule": "none"}) == Stopping()


def test_a_rule_is_read_from_its_text_like_any_knob():
    assert Stopping.read({"epochs": "5", "rule": "PQ(0.5)", "held": "0.2"}) == Stopping(5, PQ(0.5), 0.2)


def test_the_share_of_held_rows_leaves_enough_to_learn_from():
    with pytest.raises(UserError, match=r"stopping.held must lie in 0.02..0.5"):
        Stopping(held=0.6)
