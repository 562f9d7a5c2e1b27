"""Human level: what is computed is what was planted, and what is known in closed form."""

from math import comb

import numpy as np
import pandas as pd
import pytest

from steelyard.data.annotations import counts_of
from steelyard.diagnosis.agreement import agreement
from steelyard.diagnosis.annotators import anyone, best_annotator
from steelyard.diagnosis.beside_human import beside
from steelyard.diagnosis.human import human_level
from steelyard.diagnosis.human_values import icc
from steelyard.diagnosis.panels import panels
from steelyard.diagnosis.votes import tallied
from steelyard.errors import UserError
from steelyard.problem import Score

Array = np.ndarray


def labelled(rates: list[float], rows: int = 2000, classes: int = 2, seed: int = 0) -> tuple[Array, Array]:
    """Labels (rows, annotators) as floats of annotators that err at those rates on their own, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    wrong = random.random((rows, len(rates))) < rates
    other = (truth[:, None] + random.integers(1, classes, wrong.shape)) % classes
    return np.where(wrong, other, truth[:, None]).astype(float), truth


def majority_error(rate: float, size: int) -> float:
    """The error of the majority of so many that err on their own, of two classes."""
    return sum(comb(size, k) * rate**k * (1 - rate) ** (size - k) for k in range(size // 2 + 1, size + 1))


# -- panels ---------------------------------------------------------------------------------------------------


def test_panels_err_as_the_binomial_distribution_says() -> None:
    labels, truth = labelled([0.2] * 7, rows=8000)
    found = {panel.size: panel.error for panel in human_level(labels, truth).panels}
    assert list(found) == [1, 3, 5, 7]
    for size, error in found.items():
        assert error.low <= majority_error(0.2, size) <= error.high


def test_a_tie_counts_by_its_expected_error() -> None:
    (alone, both) = panels(np.array([[1, 1], [2, 0]]), np.array([0, 0]))
    assert (alone.error.value, both.error.value, both.size, both.all) == (0.25, 0.25, 2, True)


def test_the_best_panel_is_the_human_level() -> None:
    labels, truth = labelled([0.1] * 5)
    found = human_level(labels, truth)
    assert found.of == "panel of everybody, usually 5" and found.level == min(
        (p.error for p in found.panels), key=lambda e: e.value
    )


def test_an_expert_among_novices_is_the_human_level() -> None:
    labels, truth = labelled([0.02, 0.4, 0.4, 0.4, 0.4])
    found = human_level(labels, truth)
    assert (found.of, found.best_name) == ("the best annotator", "annotator 1") and found.level == found.best


def test_without_a_truth_annotators_are_held_against_the_others() -> None:
    labels, truth = labelled([0.1] * 9, rows=4000)
    known, unknown = human_level(labels, truth), human_level(labels)
    assert unknown.consensus and "other annotators" in unknown.reference
    assert known.single is not None and unknown.single is not None
    assert abs(unknown.single.value - known.single.value) < 0.01
    assert max(panel.size for panel in unknown.panels) == 3  # half of nine, odd


def test_counts_say_the_same_as_the_labels_they_count() -> None:
    labels, truth = labelled([0.1, 0.2, 0.3], classes=3)
    one = human_level(labels, truth)
    two = human_level(counts_of(tallied(labels.astype(int), 3)), truth)
    assert [p.error for p in one.panels] == [p.error for p in two.panels] and one.agreement == two.agreement
    assert two.annotators == () and two.best is None and "intervals are over rows only" in two.notes[0]


def test_the_same_seed_gives_the_same_answer_and_missing_labels_are_no_mistakes() -> None:
    labels, truth = labelled([0.1] * 6, rows=300, classes=4)
    labels[np.random.default_rng(1).random(labels.shape) < 0.3] = np.nan
    first = human_level(labels, truth, seed=3)
    assert first == human_level(labels, truth, seed=3)
    assert first.single is not None and abs(first.single.value - 0.1) < 0.03


# -- single annotators ------------------------------------------------------------------------------------------


def test_the_interval_of_one_annotator_covers_annotators_who_were_not_asked() -> None:
    held = 0
    for seed in range(120):
        random = np.random.default_rng(seed)
        rates = random.beta(4, 36, 15)
        errors = (random.random((150, 15)) < rates).astype(float)
        errors[random.random(errors.shape) < 0.2] = np.nan
        found = anyone(errors)
        held += found.low <= 0.1 <= found.high
    assert held >= 0.88 * 120


def test_the_best_annotator_is_not_measured_on_the_rows_they_were_chosen_by() -> None:
    off = []
    for seed in range(30):
        errors = (np.random.default_rng(seed).random((100, 20)) < 0.3).astype(float)
        found = best_annotator(errors, seed)
        assert found is not None
        off.append(found[1].value - 0.3)
        assert errors.mean(axis=0).min() < 0.27  # what the lowest of all would be taken for
    assert abs(np.mean(off)) < 0.015


def test_only_who_differs_from_the_others_on_the_same_rows_deviates() -> None:
    labels, truth = labelled([0.1, 0.1, 0.1, 0.1, 0.35], rows=600)
    found = {each.name: each for each in human_level(labels, truth).annotators}
    assert found["annotator 5"].deviates and found["annotator 5"].difference > 0.15
    alike, same = labelled([0.1] * 12, rows=400, seed=5)
    assert not any(each.deviates for each in human_level(alike, same).annotators)


def test_an_annotator_of_hard_rows_only_does_not_deviate() -> None:
    random = np.random.default_rng(0)
    hard = np.arange(800) < 200
    labels = (random.random((800, 4)) < np.where(hard, 0.4, 0.02)[:, None]).astype(float)
    labels[~hard, 3] = np.nan
    found = {each.name: each for each in human_level(labels, np.zeros(800, int), classes=("0", "1")).annotators}
    assert found["annotator 4"].error.value > 0.3 and not found["annotator 4"].deviates


# -- agreement ------------------------------------------------------------------------------------------------


def test_fleiss_kappa_is_that_of_the_worked_example() -> None:
    counts = [  # Fleiss 1971 as commonly tabled: ten subjects, fourteen raters, five categories
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    found = agreement(np.array(counts))
    assert round(found.fleiss, 3) == 0.210 and round(found.raw, 3) == 0.378


def test_krippendorffs_alpha_is_that_of_the_worked_example() -> None:
    nan = np.nan
    reliability = np.array(  # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", four observers: 0.743
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
            [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ]
    )
    codes = np.nan_to_num(reliability.T, nan=0).astype(int) - 1
    assert round(agreement(tallied(codes, 5)).krippendorff, 3) == 0.743


def test_agreement_by_chance_is_zero() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (4000, 4))
    found = agreement(tallied(labels, 3))
    assert abs(found.fleiss) < 0.02 and abs(found.krippendorff) < 0.02 and found.word == "low"


# -- values ---------------------------------------------------------------------------------------------------


def measured(noise: float = 1.0, rows: int = 3000, people: int = 4) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    truth = 2 * random.normal(size=rows)
    return truth[:, None] + noise * random.normal(size=(rows, people)), truth


def test_the_mean_of_k_measurements_is_off_by_the_root_of_k_less() -> None:
    values, truth = measured()
    found = human_level(values, truth)
    assert found.unit == "rmse" and [panel.size for panel in found.panels] == [1, 3, 4]
    for panel in found.panels:
        assert panel.error.low <= panel.size**-0.5 <= panel.error.high


def test_icc_is_the_share_of_variance_between_rows() -> None:
    values, _ = measured(noise=1.0)
    values[::3, 0] = np.nan
    assert abs(icc(values) - 4 / 5) < 0.02


def test_measurements_without_a_truth_are_held_against_the_mean_of_the_others() -> None:
    values, _ = measured()
    found = human_level(values)
    assert found.single is not None and abs(found.single.value - (1 + 1 / 3) ** 0.5) < 0.05 and found.consensus


def test_who_measures_worse_deviates_in_the_unit_of_the_values() -> None:
    values, truth = measured()
    values[:, 2] += 2 * np.random.default_rng(1).normal(size=len(values))
    found = {each.name: each for each in human_level(values, truth).annotators}
    each = found["annotator 3"]
    assert each.deviates and abs(each.difference - (5**0.5 - 1)) < 0.1 and each.low < each.difference < each.high


# -- numbers, and what cannot be used -----------------------------------------------------------------------------


def test_a_number_gets_wilsons_interval_for_its_examples() -> None:
    found = human_level(0.02, examples=500)
    assert found.level.value == 0.02 and (round(found.level.low, 3), round(found.level.high, 3)) == (0.011, 0.036)


def test_a_number_alone_is_said_to_be_taken_as_exact() -> None:
    found = human_level(0.02)
    assert found.level.interval == (0.02, 0.02) and "taken as exact" in found.notes[0]
    assert human_level(0.02, interval=(0.01, 0.03)).level.interval == (0.01, 0.03)


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (1.5, {}, "a rate from 0 to 1, got 1.5"),
        (0.1, {"interval": (0.2, 0.3)}, "does not hold the human error 0.1"),
        (np.ones((3, 2)), {"truth": [1, 1]}, "3 annotated rows, but 2 with a truth"),
        (pd.DataFrame({"a": ["x", None], "b": [None, "y"]}), {"truth": ["x", "y"]}, "no row has more than one label"),
        (pd.DataFrame({"a": ["x", "y"], "b": ["x", "z"]}), {"truth": ["x", "y"]}, "the label 'z', which is no class"),
        (pd.DataFrame({"a": ["x", "y"], "b": ["x", "y"]}), {"truth": ["x", None]}, "1 of 2 rows lack a truth"),
    ],
)
def test_what_cannot_be_used_is_said(given: object, more: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        human_level(given, **more)  # type: ignore[arg-type]


# -- a model beside people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "standing"),
    [
        (0.02, "passes the human level"),
        (0.2, "is above the human level"),
        (0.11, "cannot be told from the human level"),
    ],
)
def test_a_model_is_said_to_pass_people_only_when_it_surely_does(model: float, standing: str) -> None:
    found = beside(Score(0.1, 0.08, 0.12, 400), Score(model, model - 0.015, model + 0.015, 400))
    assert found.standing == standing and found.low < found.difference < found.high
