"""Looking often: what each look may spend, and p-values that may be read at any of them."""

import numpy as np
import pytest
from scipy import stats

from steelyard.weighing.sequential import LOOKS, level_at, levels, repeated_p


@pytest.mark.parametrize("power", [1.0, 1.5, 3.0])
def test_all_looks_together_spend_the_level(power: float) -> None:
    """100,000 random walks without drift: the share that leaves the boundaries at any look is the level."""
    walks = np.random.default_rng(0).standard_normal((100_000, LOOKS[-1])).cumsum(axis=1)
    z = np.abs(walks[:, np.array(LOOKS) - 1]) / np.sqrt(LOOKS)
    left = (z > stats.norm.isf(np.array(levels(LOOKS, 0.05, power)) / 2)).any(axis=1)
    assert left.mean() == pytest.approx(0.05, abs=0.003)


def test_one_look_has_the_whole_level() -> None:
    assert levels((10,), 0.05) == pytest.approx((0.05,))


def test_three_even_looks_have_the_levels_of_pocock_s_spending() -> None:
    """Linear spending of 5 % over even looks: the first is a third of it, the others from a published recursion."""
    first, *others = levels((1, 2, 3), 0.05, 1.0)
    assert first == pytest.approx(0.05 / 3)
    assert all(0.05 / 3 < level < 0.05 for level in others)


def test_between_two_planned_looks_the_earlier_one_counts() -> None:
    assert level_at(7, LOOKS, 0.05) == level_at(6, LOOKS, 0.05)
    assert level_at(2, LOOKS, 0.05) == level_at(3, LOOKS, 0.05)


@pytest.mark.parametrize("pairs", [3, 6, 15, 29])
@pytest.mark.parametrize("level", [0.002, 0.01, 0.05])
def test_a_repeated_p_value_is_the_level_at_which_a_look_would_just_decide(pairs: int, level: float) -> None:
    assert repeated_p(pairs, level_at(pairs, LOOKS, level), LOOKS) == pytest.approx(level, rel=0.05)


def test_a_repeated_p_value_is_never_smaller_than_the_plain_one() -> None:
    for p in (1e-6, 0.001, 0.03, 0.4, 1.0):
        assert all(repeated_p(pairs, p, LOOKS) >= p for pairs in LOOKS)
