"""What cannot be read or learnt from is refused in one line that says what came and what to do."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.source import read, read_like
from steelyard.errors import UserError

GOOD = (
    "age,city,income\n" + "\n".join(f"{20 + i * 0.7:.1f},{'AB'[i % 2]}x,{'yn'[i % 3 == 0]}" for i in range(30)) + "\n"
)


def refused(source: object, target: str | int | None, *words: str, **options: object) -> None:
    with pytest.raises(UserError) as caught:
        read(source, target, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "adult.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Put = Callable[..., Path]


def test_a_missing_file(tmp_path: Path, put: Put) -> None:
    put(GOOD)
    refused(tmp_path / "adul.csv", "income", "no file", "did you mean 'adult.csv'")


def test_a_misspelt_target(put: Put) -> None:
    refused(put(GOOD), "incme", "column 'incme' is not in adult.csv; did you mean 'income'?")


def test_no_target(put: Put) -> None:
    refused(put(GOOD), None, "name the column to predict")


def test_a_position_outside_the_table(put: Put) -> None:
    refused(put(GOOD), 4, "positions run from 1 to 3")
    refused(np.zeros((20, 3)), 3, "positions run from 0 to 2")


def test_a_misspelt_exclusion(put: Put) -> None:
    refused(put(GOOD), "income", "'agee'", "did you mean 'age'", exclude=["agee"])


def test_excluding_the_target(put: Put) -> None:
    refused(put(GOOD), "income", "it is the target", exclude=["income"])


@pytest.mark.parametrize("content", ["", "\n\n", "  \n"])
def test_an_empty_file(put: Put, content: str) -> None:
    refused(put(content), "income", "is empty")


def test_a_header_alone(put: Put) -> None:
    refused(put("age,city,income\n"), "income", "no usable rows")


def test_three_rows(put: Put) -> None:
    refused(put("age,income\n1,a\n2,b\n3,a\n"), "income", "3 usable rows", "at least 10 rows")


def test_too_few_rows_with_a_target(put: Put) -> None:
    rows = "".join(f"{i}.5,{'ab'[i % 2] if i < 8 else ''}\n" for i in range(40))
    refused(put("age,income\n" + rows), "income", "8 usable rows")


def test_one_class_only(put: Put) -> None:
    refused(put(GOOD.replace(",y", ",n")), "income", "one class only ('n')")


def test_a_target_that_never_changes() -> None:
    refused((np.random.default_rng(0).normal(size=(20, 2)), np.full(20, 3.5)), None, "same value", task="regression")


def test_a_target_that_is_always_missing() -> None:
    refused((np.random.default_rng(0).normal(size=(20, 2)), np.full(20, np.nan)), None, "missing in every row")


def test_a_wrong_task(put: Put) -> None:
    refused(put(GOOD), "income", "needs numbers", task="regression")


def test_ragged_lines(put: Put) -> None:
    refused(put(GOOD + "1,2\n1,2,3,4\n"), "income", "2 of 33 lines", "line 32 with 2")


def test_binary_junk(put: Put) -> None:
    refused(put(bytes(range(256)) * 20), "income", "binary data")


def test_a_broken_parquet(put: Put) -> None:
    refused(put(b"PAR1" + b"junk" * 50, "a.parquet"), "income", "not a readable Parquet file")
    refused(put(b"", "b.parquet"), "income", "not a readable Parquet file")


def test_a_truncated_parquet(put: Put, tmp_path: Path) -> None:
    pd.DataFrame({"a": np.arange(1000.0), "y": np.arange(1000) % 2}).to_parquet(tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    refused(put(data[: len(data) // 2], "a.parquet"), "y", "not a readable Parquet file")


def test_a_spreadsheet(put: Put) -> None:
    refused(put(b"PK\x03\x04", "a.xlsx"), "income", "save it as CSV")


def test_column_names_that_occur_twice(put: Put) -> None:
    refused(put(GOOD.replace("city", "age")), "income", "more than one column named 'age'")


def test_no_column_to_learn_from() -> None:
    refused(pd.DataFrame({"same": ["x"] * 20, "y": ["a", "b"] * 10}), "y", "no column to learn from", "one value only")


def test_columns_of_lists_are_left_out() -> None:
    frame = pd.DataFrame({"list": [[1], [2]] * 10, "x": np.random.default_rng(0).normal(size=20), "y": ["a", "b"] * 10})
    dataset = read(frame, "y")
    assert [c.name for c in dataset.schema.columns] == ["x"]


def test_arrays_of_unlike_lengths() -> None:
    refused((np.zeros((20, 2)), np.zeros(19)), None, "20 rows", "19 values")


def test_an_array_of_odd_shape() -> None:
    refused(np.zeros(20), 0, "(20,)")


def test_an_object_that_is_no_source() -> None:
    refused(42, "income", "cannot read data from int")


def test_a_test_source_without_a_column(put: Put) -> None:
    test = put("age,town,income\n" + GOOD.split("\n", 1)[1], "test.csv")
    refused(put(GOOD), "income", "test.csv lacks 1", "'city'", test=test)


def test_a_test_source_without_the_target(put: Put) -> None:
    test = put(GOOD.replace("income", "salary"), "test.csv")
    refused(put(GOOD), "income", "test.csv lacks the target 'income'", test=test)


def test_a_zip_that_is_cut_off(put: Put) -> None:
    refused(put(b"PK\x03\x04 and no more", "a.zip"), "income", "not a readable zip")


def test_a_zip_with_several_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.csv", GOOD)
        archive.writestr("two.csv", GOOD)
    refused(tmp_path / "a.zip", "income", "2 tables", "a.zip/one.csv")


def test_a_folder_of_tables(tmp_path: Path, put: Put) -> None:
    put(GOOD)
    refused(tmp_path, "income", "holds no images", "adult.csv")


def test_prediction_on_a_table_that_lacks_columns(put: Put) -> None:
    dataset = read(put(GOOD), "income")
    with pytest.raises(UserError, match=r"lacks 1 .* 'city'; did you mean 'citi'"):
        read_like(put("age,citi\n1,Ax\n", "new.csv"), dataset.schema)


def test_prediction_on_no_rows(put: Put) -> None:
    dataset = read(put(GOOD), "income")
    with pytest.raises(UserError, match="no rows"):
        read_like(put("age,city\n", "new.csv"), dataset.schema)


def test_images_for_a_model_of_tables(put: Put) -> None:
    dataset = read(put(GOOD), "income")
    with pytest.raises(UserError, match="trained on a table"):
        read_like(np.zeros((2, 8, 8)), dataset.schema)


def test_decimal_commas_of_a_semicolon_table_are_read_and_said(tmp_path: Path) -> None:
    rows = [f"{20 + i},5;{i % 3};{1000 + 37 * i},25" for i in range(40)]
    (tmp_path / "haus.csv").write_text("m2;lage;preis\n" + "\n".join(rows), encoding="utf-8")
    dataset = read(tmp_path / "haus.csv", "preis")
    assert dataset.classes == ()
    assert dataset.target is not None
    assert dataset.target[:2].tolist() == [1000.25, 1037.25]
    assert dataset.frame is not None
    assert dataset.frame["m2"].tolist()[:2] == [20.5, 21.5]
    assert any("decimal commas in 2 columns" in note for note in dataset.notes)


def test_windows_text_keeps_its_signs(tmp_path: Path) -> None:
    text = "Preis €;m2\n" + "\n".join(f"{i * 7 % 90};{i}.5" for i in range(40))
    (tmp_path / "windows.csv").write_bytes(text.encode("cp1252"))
    assert read(tmp_path / "windows.csv", "Preis €").schema.target == "Preis €"


def test_a_column_that_is_left_out_need_not_be_in_the_test_source(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(30) % 7, "leak": np.arange(30) % 5, "y": np.arange(30) % 2})
    dataset = read(frame, "y", test=frame.drop(columns="leak"), exclude=["leak"])
    assert [column.name for column in dataset.schema.columns] == ["a"]
