"""Several targets, lists of labels and ordered classes, read from tables and arrays of every form."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

from steelyard.data.source import read, read_like
from steelyard.data.split import divide, set_aside
from steelyard.errors import UserError


def table(rows: int = 60) -> pd.DataFrame:
    """Two labels, two values and a class that follow from numbers."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3))
    frame = pd.DataFrame(x, columns=["x0", "x1", "x2"])
    frame["sad"], frame["calm"] = (x[:, 0] > 0).astype(int), np.where(x[:, 1] > 0, "yes", "no")
    frame["heat"], frame["cold"] = x[:, 0] * 3, x[:, 1] + 5
    frame["kind"] = np.select([x[:, 2] > 0.5, x[:, 2] < -0.5], ["big", "small"], "middle")
    frame["grade"] = np.clip(np.round(x[:, 0]) + 3, 1, 5).astype(int)
    return frame


# -- which task --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "task", "kinds"),
    [
        (["sad", "calm"], "multilabel", ["binary", "binary"]),
        (["heat", "cold"], "multioutput", ["regression", "regression"]),
        (["heat", "grade"], "multioutput", ["regression", "regression"]),
        (["sad", "heat"], "multitask", ["binary", "regression"]),
        (["kind", "sad", "heat"], "multitask", ["multiclass", "binary", "regression"]),
    ],
)
def test_the_columns_say_what_is_asked(targets: list[str], task: str, kinds: list[str]) -> None:
    dataset = read(table(), targets)
    assert (dataset.task, [head.task for head in dataset.heads]) == (task, kinds)
    assert dataset.target is not None
    assert dataset.target.shape == (60, len(targets))
    assert dataset.schema.targets == tuple(targets)
    assert not {c.name for c in dataset.schema.columns} & set(targets)
    assert any(note.endswith(f": {task}") for note in dataset.notes)


def test_names_joined_by_commas_are_several_targets_unless_a_column_has_that_name() -> None:
    assert read(table(), "heat,cold").task == "multioutput"
    renamed = table().rename(columns={"heat": "heat,cold"})
    assert read(renamed, "heat,cold").task == "regression"


def test_whole_numbers_are_classes_where_several_tasks_are_asked_for() -> None:
    heads = read(table(), ["heat", "grade"], task="multitask").heads
    assert [head.task for head in heads] == ["regression", "multiclass"]
    assert heads[1].classes == ("1", "2", "3", "4", "5")


def test_two_numbers_are_values_where_that_is_asked_for() -> None:
    assert read(table(), ["sad", "heat"], task="multioutput").task == "multioutput"


def test_two_classes_that_are_no_yes_and_no_are_a_label_only_when_asked() -> None:
    frame = table().assign(sex=np.where(table()["x2"] > 0, "male", "female"))
    assert read(frame, ["sad", "sex"]).task == "multitask"
    assert read(frame, ["sad", "sex"], task="multilabel").heads[1].classes == ("female", "male")


# -- what is missing ---------------------------------------------------------------------------------------------


def test_a_row_is_left_out_only_when_it_has_no_target_at_all() -> None:
    frame = table().astype({"sad": float})
    frame.loc[[1, 2, 3], "heat"] = np.nan
    frame.loc[[3, 4], "sad"] = np.nan
    dataset = read(frame, ["heat", "sad"])
    assert dataset.target is not None
    assert len(dataset) == 59
    assert np.isnan(dataset.target).sum() == 3
    assert any("1 row left out: every target is missing" in note for note in dataset.notes)
    assert any("'heat' in 2" in note for note in dataset.notes)


# -- pairs, lists, images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["matrix", "frame", "list"])
def test_a_matrix_of_targets_comes_beside_the_inputs(form: str) -> None:
    frame = table()
    y = frame[["heat", "cold"]]
    given = {"matrix": y.to_numpy(), "frame": y, "list": y.to_numpy().tolist()}[form]
    dataset = read((frame[["x0", "x1"]], given), None)
    assert dataset.task == "multioutput"
    assert dataset.schema.targets == (("heat", "cold") if form == "frame" else ("y0", "y1"))
    named = read((frame[["x0", "x1"]].to_numpy(), given), ["warm", "chill"])
    assert named.schema.targets == ("warm", "chill")


def lists(rows: int = 40) -> list[list[str]]:
    random = np.random.default_rng(1)
    return [[tag for tag in ("rock", "jazz", "pop") if random.random() < 0.4] for _ in range(rows)]


@pytest.mark.parametrize("form", ["lists", "sets", "json", "text"])
def test_a_column_of_lists_is_a_label_each(form: str) -> None:
    tags = lists()
    given = {
        "lists": tags,
        "sets": [set(each) for each in tags],
        "json": [json.dumps(each) for each in tags],
        "text": [" | ".join(each) or "|" for each in tags],
    }[form]
    frame = pd.DataFrame({"x": np.arange(40) ** 0.5, "tags": pd.Series(given, dtype=object)})
    dataset = read(frame, "tags", task="multilabel" if form == "text" else None)
    assert dataset.task == "multilabel"
    assert [head.name for head in dataset.heads] == ["jazz", "pop", "rock"]
    assert dataset.target is not None
    assert dataset.target.tolist() == [[float(t in each) for t in ("jazz", "pop", "rock")] for each in tags]
    again = read_like(frame, dataset.schema, dataset.classes, dataset.heads)
    assert again.target is not None
    assert np.array_equal(again.target, dataset.target)


def test_lists_of_labels_come_beside_the_inputs() -> None:
    dataset = read((np.random.default_rng(0).normal(size=(40, 2)), lists()), None)
    assert [head.name for head in dataset.heads] == ["jazz", "pop", "rock"]


def test_labels_of_nobody_of_one_and_of_the_test_only_are_left_out_and_said() -> None:
    tags = [[*each, "all"] for each in lists()]
    tags[0].append("once")
    test = [[*each, "new"] for each in lists(10)]
    x = np.random.default_rng(0).normal(size=(50, 2))
    dataset = read((x[:40], tags), None, test=(x[40:], test))
    assert [head.name for head in dataset.heads] == ["jazz", "pop", "rock"]
    for said in ("in the test only: 'new'", "only one row has: 'once'", "nearly every row has: 'all'"):
        assert any(said in note for note in dataset.notes)


def test_images_have_several_targets_too() -> None:
    random = np.random.default_rng(0)
    images, y = random.integers(0, 255, (30, 8, 8, 3), dtype=np.uint8), random.integers(0, 2, (30, 2))
    dataset = read((images, y), None)
    assert (dataset.task, dataset.schema.targets) == ("multilabel", ("class0", "class1"))
    like = read_like((images, y), dataset.schema, (), dataset.heads)
    assert np.array_equal(like.target, dataset.target)  # type: ignore[arg-type]


# -- to predict on -----------------------------------------------------------------------------------------------


def test_rows_to_predict_on_need_no_targets() -> None:
    dataset = read(table(), ["kind", "heat"])
    like = read_like(table().drop(columns=["kind", "heat"]), dataset.schema, (), dataset.heads)
    assert like.target is None
    assert like.heads == dataset.heads
    known = read_like(table().assign(kind="strange"), dataset.schema, (), dataset.heads)
    assert known.target is not None
    assert np.isnan(known.target[:, 0]).all()
    assert np.allclose(known.target[:, 1], table()["heat"])


def test_columns_known_by_number_move_back_when_the_targets_are_gone(tmp_path: Path) -> None:
    frame = table()[["heat", "x0", "cold", "x1"]].round(4)
    frame.to_csv(tmp_path / "train.csv", header=False, index=False)
    frame[["x0", "x1"]].to_csv(tmp_path / "new.csv", header=False, index=False)
    dataset = read(tmp_path / "train.csv", "column_1,column_3")
    like = read_like(tmp_path / "new.csv", dataset.schema, (), dataset.heads)
    assert like.frame is not None
    assert like.frame.equals(dataset.frame)


# -- ordered classes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "order", "expected"),
    [
        (["Low", "High", "Medium"], (), ("Low", "Medium", "High")),
        (["10", "9", "2"], (), ("2", "9", "10")),
        (["c", "a", "b"], ("b", "c", "a"), ("b", "c", "a")),
        (["very_good", "bad", "okay"], (), ("bad", "okay", "very_good")),
    ],
)
def test_the_order_is_that_of_numbers_of_known_words_or_the_users(
    classes: list[str], order: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    frame = pd.DataFrame({"x": np.arange(30.0) ** 0.5, "y": classes * 10})
    dataset = read(frame, "y", task="ordinal", order=order)
    assert (dataset.task, dataset.classes) == ("ordinal", expected)
    assert dataset.target is not None
    assert [dataset.classes[code] for code in dataset.target] == classes * 10
    like = read_like(frame, dataset.schema, dataset.classes)
    assert np.array_equal(like.target, dataset.target)  # type: ignore[arg-type]


def test_ordered_categories_keep_their_order_unasked() -> None:
    y = pd.Categorical(["s", "xl", "m"] * 10, categories=["m", "s", "xl"], ordered=True)
    dataset = read(pd.DataFrame({"x": np.arange(30.0) ** 0.5, "y": y}), "y")
    assert (dataset.task, dataset.classes) == ("ordinal", ("m", "s", "xl"))
    assert read(pd.DataFrame({"x": np.arange(30.0), "y": y}), "y", task="multiclass").task == "multiclass"


# -- splits ------------------------------------------------------------------------------------------------------


def test_every_part_of_a_split_gets_its_share_of_rare_labels() -> None:
    random = np.random.default_rng(0)
    y = (random.random((600, 6)) < [0.5, 0.3, 0.1, 0.05, 0.03, 0.03]).astype(int)
    dataset = read((random.normal(size=(600, 2)), y), None)
    _, pool, test = divide(dataset, 0)
    assert dataset.target is not None
    assert dataset.target[test].sum(axis=0) == pytest.approx(0.2 * y.sum(axis=0), abs=4.5)
    _, held = set_aside(dataset, 0.25, 0)
    assert len(held) == pytest.approx(150, abs=1)
    assert dataset.target[held].sum(axis=0) == pytest.approx(0.25 * y.sum(axis=0), abs=6)
    assert not set(pool) & set(test)


def test_values_are_split_by_tenths_of_their_standardised_mean() -> None:
    dataset = read(table(400), ["heat", "cold"])
    _, pool, test = divide(dataset, 0)
    assert dataset.target is not None
    scaled = ((dataset.target - dataset.target.mean(0)) / dataset.target.std(0)).mean(1)
    assert scaled[test].mean() == pytest.approx(scaled[pool].mean(), abs=0.03)


# -- mistakes ----------------------------------------------------------------------------------------------------


def wrong(frame: pd.DataFrame, target: object, **how: object) -> str:
    with pytest.raises(UserError) as caught:
        read(frame, target, **how)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_wrong_choice_of_targets_is_said_in_one_line() -> None:
    frame = table()
    assert "target 'heat' is named twice" in wrong(frame, ["heat", "heat"])
    assert "did you mean 'cold'" in wrong(frame, ["heat", "colt"])
    assert "task multilabel needs several targets" in wrong(frame, "sad", task="multilabel")
    assert "task multioutput needs numbers, but target 'kind' holds" in wrong(
        frame, ["heat", "kind"], task="multioutput"
    )
    assert "'kind' has 3: use task multitask" in wrong(frame, ["sad", "kind"], task="multilabel")
    assert "task regression is for one target, and 2 are named" in wrong(frame, ["heat", "cold"], task="regression")
    assert "'flat' has one class only ('2.5')" in wrong(frame.assign(flat=2.5), ["heat", "flat"])
    assert "cannot exclude 'cold': it is the target" in wrong(frame, ["heat", "cold"], exclude=("cold",))
    assert "weights cannot be 'cold'" in wrong(frame, ["heat", "cold"], weights="cold")


def test_a_label_that_never_or_always_occurs_is_an_error_that_names_it() -> None:
    assert "target 'never' has one class only ('0')" in wrong(table().assign(never=0), ["sad", "never"])
    part = np.where(np.arange(60) < 45, "train", "test")
    late = table().assign(late=(part == "test").astype(int), split=part)
    assert "target 'late' has one class only" in wrong(late, ["sad", "late"])


def test_an_order_that_is_not_known_or_not_right_is_an_error() -> None:
    frame = pd.DataFrame({"x": np.arange(30.0) ** 0.5, "y": ["oak", "ash", "elm"] * 10})
    assert "give it from the lowest to the highest, as --order ash,elm,oak" in wrong(frame, "y", task="ordinal")
    assert "names 'fir', which target 'y' has not" in wrong(frame, "y", order=("oak", "ash", "fir"))
    assert "lacks 'elm'" in wrong(frame, "y", order=("oak", "ash"))
    assert "names 'oak' twice" in wrong(frame, "y", order=("oak", "ash", "elm", "oak"))
    assert "an order needs three" in wrong(people(), "income", task="ordinal")
    assert "leave the order out, or the task" in wrong(frame, "y", order=("oak",), task="multiclass")


def test_a_matrix_that_does_not_fit_is_an_error() -> None:
    frame = table()
    x = frame[["x0", "x1"]]
    with pytest.raises(UserError, match="X has a column 'x1', the name of the target"):
        read((x, frame[["x1", "heat"]]), None)
    with pytest.raises(UserError, match="y has 2 targets, but 3 are named"):
        read((x, frame[["cold", "heat"]]), ["a", "b", "c"])
    with pytest.raises(UserError, match="one for each target of a row, got shape"):
        read((x, np.zeros((60, 2, 2))), None)
    with pytest.raises(UserError, match="no label that some rows have and others have not"):
        read((x, [["a"]] * 60), None)
