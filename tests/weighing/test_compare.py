"""Is one arm better than another? Verdicts, signs, and how often chance is called an effect."""

import numpy as np
import pytest

from steelyard.metrics import cost, metric
from steelyard.weighing.compare import compare, probability_better
from steelyard.weighing.comparison import Comparison

ACCURACY, RMSE = metric("accuracy"), metric("rmse")
TRUTH = np.arange(400) % 2


def arm(share: float, seed: int, truth: np.ndarray = TRUTH) -> np.ndarray:
    """Probabilities of two classes that are right for a share of the examples, drawn anew for each seed."""
    right = np.random.default_rng(seed).random(len(truth)) < share
    return np.eye(2)[np.where(right, truth, 1 - truth)] * 0.6 + 0.2


def compared(without: list[np.ndarray], with_it: list[np.ndarray], matters: float = 0.0) -> Comparison:
    return compare(ACCURACY, [TRUTH] * len(without), without, with_it, matters)


def test_a_clear_gain_helps_and_its_reverse_hurts() -> None:
    worse, better = [arm(0.7, s) for s in range(3)], [arm(0.9, 10 + s) for s in range(3)]
    gain, loss = compared(worse, better), compared(better, worse)
    assert (gain.verdict, loss.verdict) == ("helps", "hurts")
    assert gain.effect == pytest.approx(0.2, abs=0.06)
    assert (loss.effect, loss.low, loss.high) == pytest.approx((-gain.effect, -gain.high, -gain.low))


def test_the_effect_is_the_mean_of_the_paired_differences() -> None:
    without, with_it = [arm(0.7, s) for s in range(3)], [arm(0.8, 10 + s) for s in range(3)]
    found = compared(without, with_it)
    assert found.pairs == tuple((ACCURACY(TRUTH, a), ACCURACY(TRUTH, b)) for a, b in zip(without, with_it, strict=True))
    assert found.effect == pytest.approx(np.mean([b - a for a, b in found.pairs]))
    assert found.low < found.effect < found.high


def test_a_technique_that_changes_nothing_has_no_effect() -> None:
    same = [arm(0.8, s) for s in range(3)]
    found = compared(same, same)
    assert (found.effect, found.low, found.high) == (0, 0, 0)
    assert found.verdict == "no difference that matters"


def test_a_small_sure_effect_is_no_difference_that_matters() -> None:
    without = [arm(0.8, s) for s in range(3)]
    with_it = [np.vstack([p[:399], 1 - p[399:]]) for p in without]
    assert compared(without, with_it, matters=0.05).verdict == "no difference that matters"
    assert compared(without, with_it).verdict == "undecided"


def test_noise_is_undecided() -> None:
    assert compared([arm(0.8, s) for s in range(3)], [arm(0.8, 10 + s) for s in range(3)]).verdict == "undecided"


def test_one_pair_is_judged_by_its_examples() -> None:
    assert compared([arm(0.6, 0)], [arm(0.9, 1)]).verdict == "helps"
    assert compared([arm(0.8, 0)], [arm(0.8, 1)]).verdict == "undecided"


def test_a_smaller_rmse_helps_and_its_effect_is_negative() -> None:
    random = np.random.default_rng(0)
    truth = [random.normal(size=300)] * 3
    worse = [t + random.normal(size=300) for t in truth]
    better = [t + 0.5 * random.normal(size=300) for t in truth]
    gain, loss = compare(RMSE, truth, worse, better), compare(RMSE, truth, better, worse)
    assert gain.verdict == "helps"
    assert gain.high < 0
    assert loss.verdict == "hurts"
    assert loss.low > 0


def test_arms_may_have_other_dev_rows_in_each_pair() -> None:
    truth = [TRUTH, TRUTH[:300], TRUTH[:200]]
    worse = [arm(0.6, s, t) for s, t in enumerate(truth)]
    better = [arm(0.9, 10 + s, t) for s, t in enumerate(truth)]
    assert compare(ACCURACY, truth, worse, better).verdict == "helps"


def test_looking_more_often_makes_the_interval_wider() -> None:
    without, with_it = [arm(0.7, s) for s in range(3)], [arm(0.75, 10 + s) for s in range(3)]
    one, two = (compare(ACCURACY, [TRUTH] * 3, without, with_it, looks=looks) for looks in ((), (3, 9)))
    assert two.high - two.low > one.high - one.low


def chance(random: np.random.Generator, seeds: int, spread: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two arms that differ by chance alone: examples have difficulties that all share, seeds shift them."""
    difficulty = random.normal(1.0, 1.0, 200)
    arms = []
    for _ in range(2):
        margins = [difficulty + spread * random.normal() + random.normal(0, 0.7, 200) for _ in range(seeds)]
        arms.append([np.eye(2)[np.where(m > 0, TRUTH[:200], 1 - TRUTH[:200])] for m in margins])
    return arms[0], arms[1]


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.0), (3, 0.15), (6, 0.15)])
def test_two_arms_that_differ_by_chance_are_seldom_called_different(seeds: int, spread: float) -> None:
    """300 A/A comparisons: at most 7 % of them may be called helps or hurts."""
    random = np.random.default_rng(0)
    verdicts = [compare(ACCURACY, [TRUTH[:200]] * seeds, *chance(random, seeds, spread)).verdict for _ in range(300)]
    assert sum(v in {"helps", "hurts"} for v in verdicts) / 300 <= 0.07


def test_two_arms_of_values_that_differ_by_chance_are_seldom_called_different() -> None:
    """100 A/A comparisons of RMSE, whose variance over examples is bootstrapped."""
    random, called = np.random.default_rng(0), 0
    for _ in range(100):
        truth = random.normal(size=150)
        shared = 0.5 * random.normal(size=150)
        arms = [[truth + shared + 0.5 * random.normal(size=150) for _ in range(3)] for _ in range(2)]
        called += compare(RMSE, [truth] * 3, *arms).verdict in {"helps", "hurts"}
    assert called <= 7


def test_how_often_one_arm_is_better_counts_resamples() -> None:
    good, bad = arm(0.95, 0), arm(0.6, 1)
    assert probability_better(ACCURACY, TRUTH, bad, good) == 1.0
    assert probability_better(ACCURACY, TRUTH, good, bad) == 0.0
    assert probability_better(ACCURACY, TRUTH, good, good) == 0.0


@pytest.mark.parametrize("name", ["accuracy", "f1", "cost"])
def test_a_comparison_with_weights_is_of_the_weighted_scores(name: str) -> None:
    random = np.random.default_rng(0)
    measure = cost(((0.0, 1.0), (3.0, 0.0))) if name == "cost" else metric(name)
    truth, weights = random.integers(0, 2, 200), random.choice([0.0, 1.0, 5.0], 200)
    arms = [[random.dirichlet([1, 1], 200) + share * np.eye(2)[truth] for _ in range(3)] for share in (0.1, 0.5)]
    found = compare(measure, [truth] * 3, *arms, weights=[weights] * 3)
    assert found.pairs[0] == tuple(measure(truth, each[0], weights) for each in arms)
    assert found.effect == pytest.approx(np.mean([b - a for a, b in found.pairs]))


def test_equal_weights_change_no_comparison() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=(2, 100))
    arms = [[t + random.normal(size=100) for t in truth] for _ in range(2)]
    for measure in (metric("mae"), RMSE):
        plain = compare(measure, list(truth), *arms)
        same = compare(measure, list(truth), *arms, weights=[np.ones(100)] * 2)
        assert (same.low, same.effect, same.high) == pytest.approx((plain.low, plain.effect, plain.high))
