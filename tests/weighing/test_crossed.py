"""The analysis of differences over seeds and examples: its mean squares, what it leaves to examples, pseudo-values."""

import numpy as np
import pytest
from conftest import of_several
from scipy import stats

from steelyard.metrics import METRICS, metric
from steelyard.weighing.crossed import block_of, crossed, differences_of, values


def drawn(
    random: np.random.Generator, pairs: int, many: int, effect: float, seed: float, example: float, rest: float
) -> np.ndarray:
    """Differences with so much spread of each kind."""
    return (
        effect
        + seed * random.normal(size=(pairs, 1))
        + example * random.normal(size=(1, many))
        + rest * random.normal(size=(pairs, many))
    )


def test_without_examples_that_matter_it_is_the_paired_t_test() -> None:
    scores = np.array([[0.3], [0.1], [0.4], [0.2]])
    found = crossed(scores)
    assert found.p_value == pytest.approx(stats.ttest_1samp(scores[:, 0], 0).pvalue)
    assert found.freedom == pytest.approx(3)
    assert found.interval(0.05) == pytest.approx(stats.t.interval(0.95, 3, 0.25, scores.std(ddof=1) / 2))


@pytest.mark.parametrize(("seed", "example"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.5), (0.1, 0.5)])
def test_the_variance_of_the_mean_is_right_on_average(seed: float, example: float) -> None:
    """1,000 draws of 5 pairs on 100 examples: the estimated variance against the one they were drawn with."""
    random = np.random.default_rng(0)
    estimates = [crossed(drawn(random, 5, 100, 0, seed, example, 1.0)).variance for _ in range(1000)]
    true = seed**2 / 5 + example**2 / 100 + 1 / 500
    assert np.mean(estimates) == pytest.approx(true, rel=0.12)


@pytest.mark.parametrize("pairs", [3, 5, 10])
def test_intervals_hold_the_effect_as_often_as_they_say(pairs: int) -> None:
    """2,000 draws: between 92 (with three pairs they are a little short) and 97.5 % of the 95 % intervals hold it."""
    random = np.random.default_rng(pairs)
    ends = [crossed(drawn(random, pairs, 200, 0.02, 0.05, 0.3, 1.0)).interval(0.05) for _ in range(2000)]
    assert 0.92 <= np.mean([low <= 0.02 <= high for low, high in ends]) <= 0.975


def test_more_seeds_do_not_lessen_what_examples_leave_open() -> None:
    random = np.random.default_rng(1)
    found = crossed(drawn(random, 200, 50, 0, 0.1, 1.0, 0.1))
    assert found.examples == pytest.approx(1 / 50, rel=0.4)
    assert found.examples > 0.9 * found.variance


def test_one_more_pair_is_better_as_often_as_pairs_were() -> None:
    random = np.random.default_rng(2)
    found = crossed(drawn(random, 400, 10, 0.1, 0.1, 0.0, 0.0))
    assert found.better(1) == pytest.approx(stats.norm.cdf(1), abs=0.05)
    assert found.better(-1) == pytest.approx(1 - found.better(1))


@pytest.mark.parametrize("name", [name for name in METRICS if name != "cost"])
def test_the_values_of_examples_average_to_the_score(name: str) -> None:
    random = np.random.default_rng(3)
    measure, weights = metric(name), random.uniform(0.5, 2, 120)
    if measure.tasks[0] in {"multilabel", "multioutput"}:
        truth, predictions = of_several(measure.tasks[0], 120, random)
    elif measure.tasks[0] == "regression":
        truth, predictions = random.gamma(2.0, size=120), random.gamma(2.0, size=120)
    else:
        truth, predictions = random.integers(0, 3, 120), random.dirichlet(np.ones(3), 120)
    blocks = block_of(np.arange(120), 20)
    assert values(measure, truth, predictions, blocks).mean() == pytest.approx(measure(truth, predictions))
    assert values(measure, truth, predictions, blocks, weights).mean() == pytest.approx(
        measure(truth, predictions, weights)
    )


def test_a_row_stands_in_the_same_block_whatever_rows_are_with_it() -> None:
    whole, few = block_of(np.arange(1000), 32), block_of(np.arange(100, 300), 32)
    assert np.array_equal(whole[100:300], few)
    assert np.bincount(whole, minlength=32).min() > 0


def test_blocks_of_rmse_give_the_spread_that_fresh_examples_have() -> None:
    """Pseudo-values over blocks against the standard deviation of the difference on 400 fresh samples of 640 rows."""
    random = np.random.default_rng(4)

    def one() -> tuple[np.ndarray, list[np.ndarray]]:
        truth = random.normal(size=640)
        return truth, [truth + random.normal(size=640), truth + 0.8 * random.normal(size=640)]

    rmse, estimates, effects = metric("rmse"), [], []
    for _ in range(400):
        truth, (a, b) = one()
        effects.append(rmse(truth, b) - rmse(truth, a))
        estimates.append(crossed(differences_of(rmse, [truth], [a], [b])).variance)
    assert np.mean(estimates) ** 0.5 == pytest.approx(np.std(effects), rel=0.1)
