"""Slices: planted ones are found, none is found where there is none, and repeats are told as such."""

import numpy as np
import pandas as pd
import pytest

from steelyard.diagnosis.conditions import TAILS, Condition, conditions_on
from steelyard.diagnosis.misses import Misses
from steelyard.diagnosis.slice_records import Slices
from steelyard.diagnosis.slices import find_slices
from steelyard.records import from_plain, to_plain

ROWS = 1500


def made(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "colour": random.choice(list("abcd"), rows, p=[0.5, 0.3, 0.15, 0.05]),
            "kind": random.choice(["new", "old"], rows, p=[0.7, 0.3]),
            "age": np.round(random.normal(40, 12, rows)),
            "gain": np.where(random.uniform(size=rows) < 0.8, 0.0, random.gamma(2, 1000, rows)),
        }
    )


def conditions(frame: pd.DataFrame) -> list[Condition]:
    return [each for name, values in frame.items() for each in conditions_on(str(name), values, TAILS)]


def erring(rate: np.ndarray, seed: int) -> Misses:
    return Misses("error rate", (np.random.default_rng(seed).uniform(size=len(rate)) < rate) * 1.0)


@pytest.mark.parametrize("kind", ["share", "distance", "weighted"])
def test_nothing_is_called_worse_where_nothing_is_in_95_of_100_tries(kind: str) -> None:
    known, alarms, tries = conditions(made()), 0, 200
    for seed in range(tries):
        random = np.random.default_rng(seed)
        loss = np.exp(random.normal(size=ROWS)) if kind == "distance" else (random.uniform(size=ROWS) < 0.1) * 1.0
        weights = random.gamma(2.0, size=ROWS) if kind == "weighted" else None
        alarms += bool(find_slices(Misses("error", loss, weights), known).worse)
    assert alarms / tries <= 0.05


def test_a_planted_condition_is_found_and_what_overlaps_with_it_is_not() -> None:
    frame = made()
    planted = (frame["colour"] == "c").to_numpy()
    found = find_slices(erring(0.08 + 0.3 * planted, 1), conditions(frame))
    assert [each.name for each in found.worse] == ["colour = c"]
    (it,) = found.worse
    assert it.rows == planted.sum() and it.difference.low < 0.3 < it.difference.high and it.difference.low > 0
    assert it.gain == pytest.approx(it.expected * planted.mean())
    within = [each for each in found.slices if each.within]
    assert within and all(each.within == "colour = c" for each in within)
    assert from_plain(to_plain(found), Slices) == found


def test_a_planted_pair_is_found_although_neither_condition_is_bad() -> None:
    frame = made()
    planted = ((frame["colour"] == "b") & (frame["age"] > 48)).to_numpy()
    found = find_slices(erring(0.08 + 0.4 * planted, 2), conditions(frame))
    first = found.worse[0]
    assert len(first.conditions) == 2 and "colour = b" in first.conditions and any("age" in c for c in first.conditions)


def test_a_bad_corner_within_a_bad_slice_is_told_beside_it() -> None:
    frame = made(rows=6000)
    bad, corner = (frame["kind"] == "old").to_numpy(), (frame["colour"] == "b").to_numpy()
    found = find_slices(erring(0.05 + 0.2 * bad + 0.5 * (bad & corner), 3), conditions(frame))
    names = {each.name for each in found.worse}
    assert {"kind = old", "colour = b and kind = old"} <= names


def test_what_a_found_slice_is_expected_to_show_is_not_overstated() -> None:
    frame, gap, told, fresh = made(rows=600), 0.08, [], []
    known, planted = conditions(frame), (frame["colour"] == "c").to_numpy()
    for seed in range(150):
        found = find_slices(erring(0.1 + gap * planted, seed), known, paired=False).worse
        for each in found:
            if each.name == "colour = c":
                told.append(each.difference.value)
                fresh.append(each.expected)
    assert len(told) > 20 and np.mean(told) > gap + 0.02
    assert abs(np.mean(fresh) - gap) < 0.5 * (np.mean(told) - gap)


def test_classes_are_told_apart_and_hide_no_other_slice() -> None:
    frame = made()
    rare = np.random.default_rng(5).uniform(size=ROWS) < 0.2
    planted = (frame["colour"] == "c").to_numpy()
    classes = [Condition("true class", "true class = x", rare, "class")]
    found = find_slices(erring(0.05 + 0.5 * rare + 0.3 * planted, 6), [*classes, *conditions(frame)])
    assert {"true class = x", "colour = c"} <= {each.name for each in found.worse}
    assert not any("true class" in each.name and len(each.conditions) > 1 for each in found.slices)


def test_few_rows_and_no_conditions_give_no_slices() -> None:
    frame = made(rows=40)
    assert find_slices(erring(np.full(40, 0.5), 0), conditions(frame)).slices == ()
    assert find_slices(erring(np.full(ROWS, 0.5), 0), []).slices == ()


def test_a_model_without_mistakes_has_no_bad_slice() -> None:
    for loss in (np.zeros(ROWS), np.ones(ROWS), np.full(ROWS, 2.5)):
        assert find_slices(Misses("error", loss), conditions(made())).worse == ()


def test_numbers_are_binned_with_ends_as_they_are_told_and_zeros_stand_alone() -> None:
    frame = made()
    for name in ("age", "gain"):
        parts = conditions_on(name, frame[name], TAILS)
        np.testing.assert_array_equal(np.sum([each.inside for each in parts], axis=0), 1)  # each row in just one
    labels = [each.label for each in conditions_on("gain", frame["gain"], TAILS)]
    assert (
        labels[0] == "gain = 0" and any(" < gain ≤ " in label for label in labels) and labels[-1].startswith("gain > ")
    )
    inside = {each.label: each.inside for each in conditions_on("age", frame["age"], TAILS)}
    low = next(label for label in inside if label.startswith("age ≤ "))
    np.testing.assert_array_equal(inside[low], frame["age"] <= float(low.removeprefix("age ≤ ")))


def test_missing_values_and_the_parts_of_dates_are_conditions() -> None:
    days = pd.Series(pd.to_datetime(["2024-01-01 05:00", "2024-02-06 06:00", None, "2025-01-06 05:00"]))
    inside = {each.label: each.inside.tolist() for each in conditions_on("day", days)}
    assert inside["day is missing"] == [False, False, True, False]
    assert inside["year of day = 2024"] == [True, True, False, False]
    assert inside["weekday of day = Monday"] == [True, False, False, True]
    assert inside["month of day = 01 Jan"] == [True, False, False, True]
    assert inside["hour of day = 5"] == [True, False, False, True]
    texts = pd.Series(["x", None, "y", "x"], dtype=object)
    assert {each.label: each.inside.tolist() for each in conditions_on("c", texts)} == {
        "c = x": [True, False, False, True],
        "c = y": [False, False, True, False],
        "c is missing": [False, True, False, False],
    }
