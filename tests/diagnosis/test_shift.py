"""Shift between two sources: told apart or not, what gives it away, what kind it is; whatever the data hold."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.untargeted import read_untargeted
from steelyard.diagnosis.shift import Shift, features_of, shift_between
from steelyard.diagnosis.shift.kinds import alike
from steelyard.diagnosis.shift.tells import holm
from steelyard.diagnosis.shift.two_sample import auc, clustered, separation, told_apart
from steelyard.errors import UserError

Array = np.ndarray
ROWS = 500
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def drawn(kind: str, second: bool, random: np.random.Generator) -> tuple[Array, Array]:
    """Inputs (500, 4) and classes, of which a source of that `kind` of shift differs when it is the second one."""
    inputs = random.normal(size=(8 * ROWS, 4))
    if second and kind in {"covariate", "both"}:
        inputs[:, 0 if kind == "covariate" else 3] += 0.9
    sign = -1 if second and kind == "relation" else 1
    classes = (sign * inputs[:, 0] + inputs[:, 1] + 0.5 * random.normal(size=len(inputs)) > 0).astype(int)
    if kind in {"label", "both"}:
        ones = int(ROWS * (0.85 if second else 0.35))
        rows = np.concatenate([np.flatnonzero(classes == 1)[:ones], np.flatnonzero(classes == 0)[: ROWS - ones]])
        return inputs[rows], classes[rows]
    return inputs[:ROWS], classes[:ROWS]


@cache
def compared(kind: str) -> Shift:
    random = np.random.default_rng(3)
    (x, y), (other_x, other_y) = (drawn(kind, second, random) for second in (False, True))
    return shift_between(x, other_x, y, other_y)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("none", "no shift seen"),
        ("covariate", "covariate shift"),
        ("label", "label shift"),
        ("both", "covariate and label shift"),
        ("relation", "relation shift"),
    ],
)
def test_each_kind_of_shift_has_its_verdict(kind: str, verdict: str) -> None:
    assert compared(kind).verdict == verdict


def test_shifted_values_are_told_from_shifted_inputs() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2 * ROWS, 3))
    y = x[:, 0] + 0.3 * random.normal(size=len(x))
    high = np.argsort(-(y + random.normal(size=len(y))))
    by_target = shift_between(x[high[:ROWS]], x[high[ROWS:]], y[high[:ROWS]], y[high[ROWS:]])
    assert by_target.verdict == "label shift" and by_target.target is not None
    assert by_target.target.middles is not None and by_target.target.middles[0] > by_target.target.middles[1]
    same = shift_between(x[:ROWS], x[ROWS:], y[:ROWS], y[ROWS:] + 0.6)
    assert same.verdict == "relation shift"


def test_without_targets_only_the_inputs_are_judged() -> None:
    random = np.random.default_rng(0)
    found = shift_between(random.normal(size=(300, 3)), random.normal(0.8, size=(300, 3)))
    assert found.verdict == "inputs differ" and found.target is None
    assert any("cannot be told" in note for note in found.notes)


def test_the_shifted_column_comes_first_and_the_others_are_not_named() -> None:
    found = compared("covariate")
    assert [tell.name for tell in found.tells if tell.seen] == ["column_0"]
    first = found.tells[0]
    assert first.low > 0.5 and first.histogram is not None and first.typical[1] > first.typical[0]
    assert first.importance_low is not None and first.importance_low > 0
    assert found.inputs.low > 0.5 and found.inputs.rows == (ROWS, ROWS)


def mixed(random: np.random.Generator, rows: int = 240) -> pd.DataFrame:
    """A table with a number, a category, dates and missing values."""
    start = np.datetime64("2020-01-01")
    return pd.DataFrame(
        {
            "size": random.normal(size=rows),
            "colour": random.choice(["red", "green", "blue"], rows),
            "day": (start + random.integers(0, 700, rows).astype("timedelta64[D]")).astype("datetime64[ns]"),
        }
    )


def missing(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(size=frame["size"].where(np.arange(len(frame)) % 3 > 0))


def recoloured(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(colour=frame["colour"].where(frame["colour"] != "red", "blue"))


def later(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(day=frame["day"] + pd.Timedelta(days=300))


@pytest.mark.parametrize(
    ("change", "name", "what"),
    [(missing, "size", "size is missing"), (recoloured, "colour", "colour = blue"), (later, "day", "")],
)
def test_missing_values_categories_and_dates_give_a_shift_away(
    change: Callable[[pd.DataFrame], pd.DataFrame], name: str, what: str
) -> None:
    random = np.random.default_rng(1)
    found = shift_between(mixed(random), change(mixed(random)))
    assert found.seen
    assert found.tells[0].name == name
    assert found.tells[0].what == what or name == "colour"


def test_images_differ_by_their_light() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 120, (400, 12, 12, 3)).astype(np.uint8)
    same = shift_between(images[:200], images[200:])
    darker = shift_between(images[:200], (images[200:] * 0.8).astype(np.uint8))
    assert not same.seen and darker.verdict == "inputs differ"
    assert "brightness" in [tell.name for tell in darker.tells if tell.seen]


def of_texts(texts: list[str]) -> Dataset:
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    return Dataset("texts", Schema("text", "", (Column("text", "text"),)), None, frame=frame)


def test_texts_differ_by_their_words() -> None:
    random = np.random.default_rng(0)
    words = ["cat", "dog", "house", "tree", "sun", "rain", "road"]
    said = [" ".join(random.choice(words, 8)) for _ in range(300)]
    other = [text.replace("rain", "snow") for text in said[150:]]
    found = shift_between(of_texts(said[:150]), of_texts(other))
    assert found.seen and {tell.name for tell in found.tells[:2]} == {"has 'rain'", "has 'snow'"}


def test_series_of_other_lengths_differ_by_what_sums_them_up() -> None:
    random = np.random.default_rng(0)
    one, other = (random.normal(size=(150, 2, length)).astype(np.float32) for length in (20, 24))
    other[:, 1] *= 2
    schema = Schema("series", "", (Column("a", "number"), Column("b", "number")), length=24)
    sides = [Dataset("series", schema, None, series=values) for values in (one, other)]
    seen = [tell.name for tell in shift_between(*sides).tells if tell.seen]
    assert "length" in seen and "spread of b" in seen and "spread of a" not in seen


def test_the_interval_is_as_wide_as_the_auc_really_spreads_without_a_shift() -> None:
    areas, widths, wrong = [], [], 0
    for seed in range(24):
        random = np.random.default_rng(seed)
        told = told_apart(random.normal(size=(200, 4)), random.permutation(np.arange(200) % 2), np.arange(200), seed)
        found = separation(told)
        areas.append(found.auc)
        widths.append((found.high - found.low) / 3.92)
        wrong += found.seen
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)
    assert np.std(areas) == pytest.approx(np.mean(widths), rel=0.4)
    assert wrong <= 3


def test_copies_of_rows_on_both_sides_are_no_shift_and_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(150, 3))
    copied = np.repeat(rows, 2, axis=0)
    found = shift_between(copied[::2], copied[1::2])
    assert not found.seen and any("of second are in first, too" in note for note in found.notes)
    influence = random.normal(size=100)
    assert clustered(np.repeat(influence, 2), np.repeat(np.arange(100), 2)) == pytest.approx(4 * (influence**2).sum())


def test_the_auc_counts_pairs_that_are_ranked_rightly_and_ties_half() -> None:
    assert auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0, 0, 1, 1]))[0] == pytest.approx(3.5 / 4)
    by_fold = auc(np.array([1.0, 2.0, 9.0, 8.0]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    assert by_fold[0] == pytest.approx(0.5)


def test_p_values_are_corrected_for_their_number() -> None:
    assert holm([0.01, 0.04, 0.02]) == pytest.approx([0.03, 0.04, 0.04])


def test_rows_with_the_same_targets_are_as_many_on_both_sides() -> None:
    domain = np.repeat([0, 1], 100)
    target = np.concatenate([np.repeat([0, 1], [80, 20]), np.repeat([0, 1], [30, 70])])
    rows = alike(target, domain, True, 0)
    assert [(domain[rows] == side).sum() for side in (0, 1)] == [50, 50]
    assert all(((target[rows] == 1) & (domain[rows] == side)).sum() == 20 for side in (0, 1))


def test_the_same_seed_gives_the_same_answer() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(60, 2)), random.normal(size=(60, 2))
    assert shift_between(one, other, seed=4) == shift_between(one, other, seed=4)


def test_features_name_the_column_they_stand_for() -> None:
    frame = missing(mixed(np.random.default_rng(0)))
    features = features_of(read_untargeted(frame))
    assert {"size", "size is missing", "colour = red", "day"} <= set(features.names)
    assert {features.owners[features.names.index(name)] for name in ("size", "size is missing")} == {"size"}


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (np.eye(5), np.ones((50, 5)), "at least 20"),
        (np.zeros((50, 2)), np.zeros((50, 2)), "one value only"),
        (pd.DataFrame({"a": range(40)}), pd.DataFrame({"b": range(40)}), "'a'"),
    ],
)
def test_what_cannot_be_compared_is_said(one: Any, other: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        shift_between(one, other)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with real data sets is missing")
@pytest.mark.parametrize("hospital", ["hungarian", "va"])
def test_another_hospital_is_given_away_by_what_it_did_not_measure(hospital: str) -> None:
    names = [*(f"c{k}" for k in range(11)), "ca", "thal", "num"]
    files = [DATA / "heart-disease" / f"processed.{name}.data" for name in ("cleveland", hospital)]
    frames = [pd.read_csv(file, header=None, names=names, na_values="?").drop(columns="num") for file in files]
    found = shift_between(*frames)
    assert found.apart and found.tells[0].what == "ca is missing"
