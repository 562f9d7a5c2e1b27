"""Dev wear: the correction is held to fresh data by simulation, over stated numbers of repetitions."""

from dataclasses import replace

import numpy as np
import pytest

from steelyard.metrics import Metric, metric
from steelyard.weighing.wear import FEWEST_ROWS, wear

NOISY = metric("rmse")
Sample = tuple[np.ndarray, list[np.ndarray]]


def over_tuned(name: str, rows: int, many: int, seed: int) -> Sample:
    """A truth and the predictions of many models that are all equally good: which is best on these rows is luck."""
    random = np.random.default_rng(seed)
    if name in {"rmse", "mae"}:
        truth = random.normal(size=rows)
        return truth, [truth + random.normal(size=rows) for _ in range(many)]
    truth = random.integers(0, 2, rows)
    one = np.eye(2)[np.where(random.random((many, rows)) < 0.8, truth, 1 - truth)]
    return truth, list(0.2 + 0.6 * one)


@pytest.mark.parametrize(("name", "true", "runs"), [("accuracy", 0.8, 60), ("f1", 0.8, 16), ("rmse", 1.0, 60)])
def test_the_corrected_score_shrinks_to_that_of_fresh_data_in_an_over_tuned_run(
    name: str, true: float, runs: int
) -> None:
    """The best of 50 equal models on 100 rows: biased by seven points or more, corrected by two at most (3 sd)."""
    measure = metric(name)
    found = [wear(measure, *over_tuned(name, 100, 50, seed)) for seed in range(runs)]
    plain = measure.sign * (np.array([each.plain.value for each in found]) - true)
    corrected = measure.sign * (np.array([each.corrected.value for each in found if each.corrected]) - true)
    assert plain.mean() > 0.07
    assert abs(corrected.mean()) < 0.02
    covered = [each.corrected.low <= true <= each.corrected.high for each in found if each.corrected]
    assert len(covered) == runs
    assert np.mean(covered) >= 0.9


def test_one_candidate_has_no_optimism_and_keeps_its_score_and_interval() -> None:
    truth, models = over_tuned("accuracy", 80, 1, 0)
    found = wear(metric("accuracy"), truth, models, looks=3)
    assert (found.looks, found.candidates, found.optimism) == (3, 1, 0.0)
    assert found.corrected == found.plain


def test_copies_of_one_model_have_no_optimism_either() -> None:
    truth, models = over_tuned("f1", 80, 1, 0)
    assert wear(metric("f1"), truth, models * 20).optimism == 0.0


def test_a_winner_that_is_ahead_by_far_owes_nothing_to_chance() -> None:
    truth, models = over_tuned("accuracy", 200, 40, 0)
    best = 0.05 + 0.9 * np.eye(2)[truth]
    best[:4] = best[:4, ::-1]
    found = wear(metric("accuracy"), truth, [*models, best])
    assert found.plain.value == 0.98
    assert found.corrected == found.plain


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not() -> None:
    truth, models = over_tuned("rmse", 60, 20, 0)
    one, two, other = (wear(NOISY, truth, models, seed=seed) for seed in (0, 0, 1))
    assert one == two
    assert one.optimism != other.optimism


def test_more_candidates_wear_dev_more_and_more_rows_less() -> None:
    def mean(rows: int, many: int) -> float:
        found = [wear(metric("accuracy"), *over_tuned("accuracy", rows, many, seed)) for seed in range(10)]
        return float(np.mean([each.optimism for each in found if each.optimism is not None]))

    few, many, roomy = mean(100, 3), mean(100, 100), mean(1000, 100)
    assert few < 0.6 * many
    assert roomy < 0.5 * many


def test_the_best_is_the_winner_unless_another_is_named() -> None:
    truth, models = over_tuned("rmse", 60, 20, 0)
    scores = [NOISY(truth, each) for each in models]
    assert wear(NOISY, truth, models).plain.value == min(scores)
    assert wear(NOISY, truth, models, winner=3).plain.value == scores[3]


def test_a_winner_that_was_not_the_best_on_dev_is_not_corrected_below_what_choosing_the_best_comes_to() -> None:
    truth, models = over_tuned("accuracy", 100, 50, 0)
    scores = np.array([metric("accuracy")(truth, each) for each in models])
    best, middle = int(scores.argmax()), int(np.argsort(scores)[25])
    of_best, of_middle = (wear(metric("accuracy"), truth, models, winner=each) for each in (best, middle))
    assert of_best.optimism is not None and of_middle.optimism is not None
    assert of_middle.optimism < 0.4 * of_best.optimism


@pytest.mark.parametrize("rows", [1, 2, FEWEST_ROWS - 1])
def test_a_tiny_dev_set_is_not_corrected_and_says_why(rows: int) -> None:
    truth, models = over_tuned("rmse", rows, 5, 0)
    found = wear(NOISY, truth, models)
    assert (found.optimism, found.corrected) == (None, None)
    assert f"{rows} dev rows are too few" in found.method


def test_a_dev_set_with_one_row_of_a_class_is_not_corrected_where_the_metric_needs_both() -> None:
    truth, models = over_tuned("roc_auc", 40, 5, 0)
    lonely = np.zeros_like(truth)
    lonely[7] = 1
    found = wear(metric("roc_auc"), lonely, models)
    assert found.corrected is None
    assert "no draw" in found.method


def test_a_metric_without_a_quick_way_comes_to_the_same() -> None:
    truth, models = over_tuned("rmse", 50, 6, 0)
    slow = Metric("own", "values", False, NOISY.function, ("regression",))
    quick = wear(NOISY, truth, models)
    found = wear(slow, truth, models)
    assert found.optimism == pytest.approx(quick.optimism)
    assert found.corrected is not None and quick.corrected is not None
    assert found.corrected == replace(found.corrected, value=pytest.approx(quick.corrected.value))


def test_perfect_candidates_keep_an_interval_that_knows_how_few_rows_there_are() -> None:
    truth = np.tile([0, 1], 15)
    perfect = 0.1 + 0.8 * np.eye(2)[truth]
    slip = perfect.copy()
    slip[0] = slip[0, ::-1]
    found = wear(metric("accuracy"), truth, [perfect, slip])
    assert found.corrected is not None
    assert found.corrected.high - found.corrected.low > 0.08
