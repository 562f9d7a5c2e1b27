"""What annotators said is read from tables of both forms, arrays and counts; what cannot be used is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.annotations import annotations_of, counts_of, truth_of
from steelyard.errors import UserError

WIDE = pd.DataFrame({"row": ["a", "b", "c"], "ann": ["cat", "dog", ""], "bob": ["cat", "cat", "dog"]})


def written(frame: pd.DataFrame, file: Path) -> Path:
    if file.suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_csv(file, index=False, sep="\t" if file.suffix == ".tsv" else ",")
    return file


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_column_for_each_annotator_is_read(tmp_path: Path, suffix: str) -> None:
    found = annotations_of(written(WIDE, tmp_path / f"labels{suffix}"))
    assert (found.classes, found.names, found.rows) == (("cat", "dog"), ("ann", "bob"), ("a", "b", "c"))
    assert found.labels is not None and found.labels.tolist() == [[0, 0], [1, 0], [-1, 1]]


def test_a_line_for_each_label_says_the_same(tmp_path: Path) -> None:
    long = WIDE.melt("row", var_name="annotator", value_name="label").query("label != ''")
    found = annotations_of(written(long, tmp_path / "long.csv"))
    wide = annotations_of(WIDE)
    assert found.labels is not None and wide.labels is not None
    assert found.labels.tolist() == wide.labels.tolist() and found.names == wide.names and found.rows == wide.rows


def test_an_array_has_rows_and_annotators_and_nan_where_nothing_was_said() -> None:
    found = annotations_of(np.array([[0.0, 1.0], [np.nan, 1.0]]))
    assert found.labels is not None and found.labels.tolist() == [[0, 1], [-1, 1]]
    assert (found.classes, found.names) == (("0", "1"), ("annotator 1", "annotator 2"))


def test_numbers_that_are_no_classes_are_values() -> None:
    found = annotations_of(pd.DataFrame({"ann": ["1.5", "", "2.25"], "bob": ["1.4", "3.1", "2"]}))
    assert found.values is not None and np.isnan(found.values[1, 0]) and found.values[2].tolist() == [2.25, 2.0]


def test_counts_come_from_an_array_file(tmp_path: Path) -> None:
    np.save(tmp_path / "counts.npy", np.array([[3, 0], [1, 2]]))
    found = annotations_of(tmp_path / "counts.npy", ["no", "yes"])
    assert found.classes == ("no", "yes") and found.counts is not None and found.counts.tolist() == [[3, 0], [1, 2]]


def test_an_array_file_is_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(UserError, match=r"cannot read objects\.npy as an array of numbers"):
        annotations_of(tmp_path / "objects.npy")


def test_taking_rows_takes_their_names() -> None:
    found = annotations_of(WIDE).take(np.array([2, 0]))
    assert found.rows == ("c", "a") and found.labels is not None and found.labels.tolist() == [[-1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("frame", "classes", "words"),
    [
        (WIDE[["row", "ann"]], (), "has one annotator"),
        (WIDE.replace("dog", "dgo"), ("cat", "dog"), r"the label 'dgo', which is no class; did you mean 'dog'\?"),
        (WIDE.assign(row="a"), (), "has row 'a' more than once"),
        (WIDE.assign(ann="", bob=""), (), "every cell is empty"),
        (
            pd.DataFrame({"row": [1, 1], "annotator": ["ann", "ann"], "label": ["x", "y"]}),
            (),
            "'ann' labels row '1' more than once",
        ),
    ],
)
def test_what_cannot_be_used_is_said(frame: pd.DataFrame, classes: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        annotations_of(frame, classes)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.array([[0.5, 0.5]]), "no shares"),
        (np.array([[-1, 2]]), "whole numbers from 0"),
        (np.array([1, 2]), "expected counts"),
    ],
)
def test_what_are_no_counts_is_said(counts: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        counts_of(counts)


def test_counts_of_another_number_of_classes_are_refused() -> None:
    with pytest.raises(UserError, match="counts of 2 classes, but there are 3"):
        counts_of(np.ones((2, 2), int), ["a", "b", "c"])


def test_the_truth_is_a_column_by_name_or_the_only_one(tmp_path: Path) -> None:
    file = written(pd.DataFrame({"row": ["b", "a"], "y": ["dog", "cat"]}), tmp_path / "truth.csv")
    values, rows = truth_of(file)
    assert list(values) == ["dog", "cat"] and rows == ("b", "a")
    with pytest.raises(UserError, match=r"column 'yy' is not in truth\.csv"):
        truth_of(file, "yy")
