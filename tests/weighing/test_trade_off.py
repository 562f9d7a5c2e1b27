"""Score against cost: the front, the best and the pick."""

import numpy as np
import pytest

from steelyard.metrics import metric
from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, Tried
from steelyard.weighing.trade_off import Pair, on_front, pooled_score, weigh_pairs

ROWS = 400
TRUTH = np.arange(ROWS) % 2


def tried(right: list[float]) -> Tried:
    """An arm whose seeds answer these shares of the rows rightly, the first rows."""
    dev = []
    for share in right:
        answers = np.where(np.arange(ROWS) < round(share * ROWS), TRUTH, 1 - TRUTH)
        dev.append(np.eye(2)[answers])
    rows = tuple(np.arange(ROWS) for _ in right)
    recipe = Recipe.__new__(Recipe)
    return Tried(recipe, FULL, (), rows, tuple(dev), rows, tuple(dev))


def arm(size: int, seconds: float, right: list[float] | None) -> tuple[Pair, Tried | None]:
    if right is None:
        return Pair(size, 1, "0.1", 10), None
    found = tried(right)
    score, each = pooled_score(metric("accuracy"), TRUTH, found)
    return Pair(size, 1, "0.1", 10, status="done", seconds=seconds, score=score, by_seed=each), found


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(1, 1), (2, 2), (3, 3)], [True, True, True]),
        ([(1, 3), (2, 2), (3, 1)], [True, False, False]),
        ([(1, 1), (1, 2), (2, 2)], [False, True, False]),
        ([(1, 1), (1, 1)], [True, True]),
        ([], []),
    ],
)
def test_on_the_front_nothing_is_as_cheap_and_as_good_and_better_in_one(
    points: list[tuple[float, float]], front: list[bool]
) -> None:
    assert on_front([cost for cost, _ in points], [value for _, value in points]) == front


def test_the_score_is_the_mean_of_the_seeds_with_the_width_of_the_first_ones_interval() -> None:
    score, each = pooled_score(metric("accuracy"), TRUTH, tried([0.8, 0.9]))
    assert each == (0.8, 0.9)
    assert score.value == pytest.approx(0.85)
    assert score.low < 0.85 < score.high
    assert score.examples == ROWS


def test_the_pick_is_the_cheapest_pair_that_is_not_surely_worse() -> None:
    arms = [arm(8, 9.0, [0.90, 0.91, 0.92]), arm(16, 3.0, [0.90, 0.91, 0.91]), arm(32, 1.0, [0.5, 0.5, 0.51])]
    pairs, best, pick = weigh_pairs(metric("accuracy"), TRUTH, arms)
    assert best is not None and pick is not None
    assert (best.batch_size, pick.batch_size) == (8, 16)
    assert [pair.surely_worse for pair in pairs] == [False, False, True]
    assert [pair.front for pair in pairs] == [True, True, True]
    assert pairs[2].effect == pytest.approx(-0.4067, abs=1e-3)


def test_what_was_left_out_is_neither_weighed_nor_picked() -> None:
    pairs, best, pick = weigh_pairs(metric("accuracy"), TRUTH, [arm(8, 1.0, None), arm(16, 5.0, [0.9, 0.9, 0.9])])
    assert pairs[0].score is None and not pairs[0].front
    assert best is not None and pick is not None
    assert best.place == pick.place == (16, 1)


def test_without_any_result_there_is_no_best_and_no_pick() -> None:
    pairs, best, pick = weigh_pairs(metric("accuracy"), TRUTH, [arm(8, 1.0, None)])
    assert (len(pairs), best, pick) == (1, None, None)


def test_a_metric_that_is_better_when_smaller_is_turned_round() -> None:
    def shifted(size: int, seconds: float, off: float) -> tuple[Pair, Tried]:
        values = TRUTH + off + 0.01 * np.sin(np.arange(ROWS))
        rows = (np.arange(ROWS),) * 2
        found = Tried(Recipe.__new__(Recipe), FULL, (), rows, (values, values), rows, (values, values))
        score, each = pooled_score(metric("rmse"), TRUTH.astype(float), found)
        return Pair(size, 1, "0.1", 10, status="done", seconds=seconds, score=score, by_seed=each), found

    pairs, best, pick = weigh_pairs(metric("rmse"), TRUTH.astype(float), [shifted(8, 2.0, 0.1), shifted(16, 1.0, 0.9)])
    assert best is not None and pick is not None
    assert best.place == pick.place == (8, 1)
    assert pairs[1].surely_worse and pairs[1].effect is not None and pairs[1].effect > 0.5
