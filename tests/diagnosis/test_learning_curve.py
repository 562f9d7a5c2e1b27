"""Will more data help? What is said of curves whose law is known."""

import numpy as np
import pytest

from steelyard.diagnosis.growth import LearningCurve
from steelyard.diagnosis.learning_curve import fit_curve
from steelyard.errors import UserError

ROWS = np.array([250, 500, 1000, 2000, 4000, 8000])


def measured(floor: float, scale: float, exponent: float, spread: float, seed: int = 0) -> np.ndarray:
    """Errors (sizes, 3 trainings) that follow a power law with a floor, but for noise."""
    noise = np.random.default_rng(seed).standard_normal((len(ROWS), 3))
    return np.asarray((floor + scale * ROWS[:, None] ** -exponent) * np.exp(spread * noise))


def test_the_law_is_found_again_where_there_is_hardly_any_noise() -> None:
    found = fit_curve(ROWS, measured(0.05, 3.0, 0.5, 1e-4))
    assert found.law.floor == pytest.approx(0.05, abs=0.005)
    assert found.law.exponent == pytest.approx(0.5, abs=0.04)
    assert found.law(32_000) == pytest.approx(0.05 + 3 * 32_000**-0.5, rel=0.02)


def test_a_curve_that_falls_says_that_more_data_help() -> None:
    found = fit_curve(ROWS, measured(0.0, 3.0, 0.4, 0.02))
    assert found.outlook == "helps"
    assert found.at(2).chance > 0.95
    assert found.at(2).gain > found.matters
    assert found.per_thousand[0] > 0


def test_a_curve_that_is_flat_says_that_more_data_hardly_help() -> None:
    found = fit_curve(ROWS, measured(0.1, 0.0, 0.5, 0.005))
    assert found.outlook == "hardly helps"
    assert found.at(2).error == pytest.approx(0.1, rel=0.02)


def test_a_noisy_curve_says_that_it_cannot_tell() -> None:
    assert fit_curve(ROWS, measured(0.1, 0.5, 0.5, 0.1, seed=1)).outlook == "cannot tell yet"


def test_eighty_of_a_hundred_intervals_hold_what_is_measured_later() -> None:
    random, inside = np.random.default_rng(1), []
    for seed in range(40):
        floor, exponent, spread = (
            random.choice([0.0, 0.05, 0.15]),
            random.uniform(0.15, 0.7),
            random.uniform(0.01, 0.05),
        )
        each = fit_curve(ROWS, measured(floor, 2.0, exponent, spread, seed)).at(4)
        later = (floor + 2 * 32_000**-exponent) * np.exp(spread * random.standard_normal(3)).mean()
        inside.append((each.low80 <= later <= each.high80, each.low95 <= later <= each.high95))
    shares = np.mean(inside, axis=0)
    assert 0.7 <= shares[0] <= 0.97
    assert shares[1] >= 0.9


def test_intervals_widen_with_the_distance_and_hold_each_other() -> None:
    found = fit_curve(ROWS, measured(0.05, 2.0, 0.4, 0.03))
    widths = [np.log(each.high80 / each.low80) for each in found.forecasts]
    assert widths == sorted(widths)
    for each in found.fan:
        assert 0 < each.low95 <= each.low80 <= each.error <= each.high80 <= each.high95


def test_noise_of_the_examples_makes_intervals_wider() -> None:
    errors = measured(0.05, 2.0, 0.4, 0.01)
    quiet, loud = fit_curve(ROWS, errors), fit_curve(ROWS, errors, noise=np.full(len(ROWS), 0.01))
    assert loud.at(2).high80 - loud.at(2).low80 > 1.2 * (quiet.at(2).high80 - quiet.at(2).low80)


def test_the_chance_falls_with_the_difference_that_is_asked_for() -> None:
    errors = measured(0.05, 2.0, 0.4, 0.02)
    chances = [fit_curve(ROWS, errors, matters=matters).at(2).chance for matters in (0.0, 0.01, 0.05)]
    assert chances == sorted(chances, reverse=True)


def test_rows_may_repeat_and_trainings_may_be_missing() -> None:
    errors = measured(0.05, 2.0, 0.4, 0.02)
    gaps = errors.copy()
    gaps[-1, 1:] = np.nan
    long = fit_curve(np.repeat(ROWS, 3), errors.ravel())
    assert long == fit_curve(ROWS, errors)
    assert len(fit_curve(ROWS, gaps).now.errors) == 1


def test_an_error_of_zero_is_no_hindrance() -> None:
    found = fit_curve([100, 200, 400, 800], [0.05, 0.02, 0.01, 0.0])
    assert np.isfinite([each.error for each in found.fan]).all()


def test_the_same_measurements_give_the_same_forecast() -> None:
    errors = measured(0.05, 2.0, 0.4, 0.02)
    one, other = fit_curve(ROWS, errors), fit_curve(ROWS, errors)
    assert isinstance(one, LearningCurve)
    assert one == other
    assert sum(one.families.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("rows", "errors", "word"),
    [
        ([100, 200], [0.2, 0.1], "at least 3 numbers of rows"),
        ([100, 200, 400], [0.2, 0.1], "expected rows"),
        ([100, 200, 400], [0.2, 0.1, -0.1], "1 - accuracy"),
        ([0, 200, 400], [0.2, 0.1, 0.1], "numbers from 1"),
    ],
)
def test_wrong_measurements_are_one_line(rows: list[int], errors: list[float], word: str) -> None:
    with pytest.raises(UserError, match=word) as error:
        fit_curve(rows, errors)
    assert "\n" not in str(error.value)
