"""Corrections lie over a source: what they change, what they leave alone, what they refuse."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

from steelyard.data.corrections import Correction, corrected, read_corrections, write_corrections
from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.errors import UserError


@pytest.fixture(scope="module")
def source() -> Dataset:
    return read(people(), "income")


def written(folder: Path, *each: Correction) -> list[Path]:
    write_corrections(folder / "corrections.csv", each)
    return [folder / "corrections.csv"]


def given(dataset: Dataset, row: int) -> str:
    assert dataset.target is not None
    return dataset.classes[int(dataset.target[row])]


def change(dataset: Dataset, row: int) -> Correction:
    label = given(dataset, row)
    return Correction(dataset.origin[row], "income", label, "change", "low" if label == "high" else "high")


def test_labels_change_and_rows_go_in_train_and_test_alike_and_the_source_stays(
    source: Dataset, tmp_path: Path
) -> None:
    _, pool, test = divide(source, 0)
    assert source.target is not None
    before = source.target.copy()
    edits = [change(source, int(pool[0])), change(source, int(test[0]))]
    edits += [Correction(source.origin[row], "", given(source, row), "drop") for row in (int(pool[1]), int(test[1]))]
    found = corrected(source, written(tmp_path, *edits), 0)
    assert len(found) == 198 and np.array_equal(source.target, before)
    assert found.target is not None
    for row in (int(pool[0]), int(test[0])):
        assert found.target[found.origin.index(source.origin[row])] == 1 - before[row]
    assert not {source.origin[int(pool[1])], source.origin[int(test[1])]} & set(found.origin)
    assert "2 rows relabelled, 2 dropped by corrections.csv; 2 in test" in found.notes


def test_the_test_has_the_rows_that_it_had_before(source: Dataset, tmp_path: Path) -> None:
    _, pool, test = divide(source, 3)
    edits = [change(source, int(row)) for row in pool[:20]]
    edits += [Correction(source.origin[int(pool[30])], "", given(source, int(pool[30])), "drop")]
    found = corrected(source, written(tmp_path, *edits), 3)
    after = divide(found, 3)[2]
    assert {found.origin[row] for row in after} == {source.origin[row] for row in test}


def test_what_was_kept_or_skipped_changes_nothing(source: Dataset, tmp_path: Path) -> None:
    edits = [Correction(source.origin[0], "", given(source, 0), "keep"), Correction("nowhere", "", "", "skip")]
    found = corrected(source, written(tmp_path, *edits), 0)
    assert np.array_equal(found.target, source.target)  # type: ignore[arg-type]


def test_the_last_answer_for_a_label_counts_and_files_lie_over_each_other(source: Dataset, tmp_path: Path) -> None:
    first = change(source, 4)
    (file,) = written(tmp_path, replace(first, action="drop"), first)
    assert [one.action for one in read_corrections(file)] == ["change"]
    back = replace(first, given=first.label, label=first.given)
    write_corrections(tmp_path / "second.csv", [back])
    found = corrected(source, [file, tmp_path / "second.csv"], 0)
    assert np.array_equal(found.target, source.target)  # type: ignore[arg-type]


def test_values_and_single_targets_of_several_are_corrected(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60) / 7})
    values = read(frame, "y")
    found = corrected(values, written(tmp_path, Correction("1", "y", "0", "change", "2.5")), 0)
    assert found.target is not None and found.target[0] == 2.5
    both = read(frame.assign(kind=["a", "b"] * 30), ["y", "kind"])
    found = corrected(both, written(tmp_path, Correction("2", "kind", "b", "change", "a")), 0)
    assert found.target is not None and found.target[1].tolist() == [1 / 7, 0.0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Correction("999", "income", "high", "drop"), "row '999' is not in the source"),
        (Correction("1", "income", "middling", "drop"), "row '1' is '(high|low)' in the source, but 'middling'"),
        (Correction("1", "wage", "high", "drop"), "there is no target 'wage'"),
    ],
)
def test_what_does_not_fit_the_source_is_refused_with_its_row(
    source: Dataset, tmp_path: Path, edit: Correction, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        corrected(source, written(tmp_path, edit), 0)


def test_an_unknown_class_is_refused_and_so_is_a_class_that_would_vanish(source: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="row '1': there is no class 'hihg'; did you mean 'high'"):
        corrected(source, written(tmp_path, replace(change(source, 0), label="hihg")), 0)
    every = [change(source, row) for row in range(200) if given(source, row) == "low"]
    with pytest.raises(UserError, match="leaves no row of class 'low'"):
        corrected(source, written(tmp_path, *every), 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [("origin,label\n", "has no column 'given'"), ("origin,given,action,label\n1,a,burn,b\n", "line 2: action is one")],
)
def test_a_file_that_holds_no_corrections_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_corrections(tmp_path / "wrong.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_corrections(tmp_path / "missing.csv")
