"""A column that weights the rows: where it goes, and what it must not hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

from steelyard.data.sealed import Sealed
from steelyard.data.source import read, read_like
from steelyard.data.split import divide
from steelyard.errors import UserError

Given = list[object] | np.ndarray


def weighted(weights: Given | float = 2.0, rows: int = 40) -> pd.DataFrame:
    return people(rows).assign(counts=weights)


def test_weights_are_no_input_and_go_with_their_rows() -> None:
    frame = weighted(np.arange(40) / 4)
    dataset = read(frame, "income", weights="counts")
    assert "counts" not in [column.name for column in dataset.schema.columns]
    assert dataset.weights is not None
    assert dataset.weights.tolist() == (np.arange(40) / 4).tolist()
    taken = dataset.take(np.array([7, 3]))
    assert taken.weights is not None
    assert taken.weights.tolist() == [1.75, 0.75]


def test_pool_and_sealed_test_keep_the_weights_of_their_rows() -> None:
    dataset = read(weighted(np.arange(1, 41)), "income", weights="counts")
    assert dataset.weights is not None
    _, pool, test = divide(dataset, 0)
    opened = Sealed(dataset.take(test)).open("a test", lambda by: None)
    assert opened.weights is not None
    assert opened.weights.tolist() == (test + 1).tolist()
    assert dataset.weights_of(pool).tolist() == (pool + 1).tolist()  # type: ignore[union-attr]


def test_without_the_option_rows_have_no_weights_and_the_column_is_an_input() -> None:
    dataset = read(weighted(np.arange(40) / 4), "income")
    assert dataset.weights is None
    assert dataset.weights_of(np.array([0])) is None
    assert "counts" in [column.name for column in dataset.schema.columns]


def test_rows_without_a_target_need_no_weight() -> None:
    frame = weighted(np.arange(1.0, 41))
    frame.loc[3, ["income", "counts"]] = None
    dataset = read(frame, "income", weights="counts")
    assert dataset.weights is not None
    assert dataset.weights.tolist() == [n for n in range(1, 41) if n != 4]


def test_texts_that_are_numbers_are_weights_and_a_position_names_their_column(tmp_path: Path) -> None:
    weighted(0.5).to_csv(tmp_path / "data.csv", index=False)
    dataset = read(tmp_path / "data.csv", "income", weights=-1)
    assert dataset.weights is not None
    assert set(dataset.weights) == {0.5}


def test_a_second_source_brings_the_weights_of_the_test() -> None:
    dataset = read(weighted(1.0), "income", test=weighted(3.0, 10), weights="counts")
    assert dataset.weights is not None
    assert dataset.weights.tolist() == [1.0] * 40 + [3.0] * 10


def test_other_weights_are_other_data() -> None:
    one, two, same = (read(weighted(w), "income", weights="counts").fingerprint for w in (1.0, 2.0, 1.0))
    assert one == same != two


def test_what_the_weights_are_is_said() -> None:
    notes = read(weighted([1.0, 3.0] * 20), "income", weights="counts").notes
    (said,) = (note for note in notes if "counts" in note)
    assert "from 1 to 3" in said
    assert "32 of 40 rows" in said
    assert "the training loss is not weighted" in said


def test_new_rows_to_predict_on_need_no_weights() -> None:
    dataset = read(weighted(), "income", weights="counts")
    assert len(read_like(people(5), dataset.schema, dataset.classes)) == 5


def with_one(value: object) -> pd.DataFrame:
    return weighted([1.0] * 6 + [value] + [1.0] * 33)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (with_one(None), r"'counts' holds no number in 1 row \(the first: 7\)"),
        (with_one(np.inf), r"'counts' holds no number in 1 row \(the first: 7\)"),
        (with_one(-0.5), r"'counts' is negative in 1 row \(the first: 7\)"),
        (weighted(["light", "heavy"] * 20), "'counts' holds 'heavy', 'light': name another column"),
        (weighted(pd.Timestamp("2020-01-01")), "'counts' holds '2020-01-01"),
        (weighted(0.0), "'counts' are zero in all 40 rows: some must be above 0"),
        (weighted(people(40)["income"] == "low").astype({"counts": float}), "zero in all .* rows of class 'high'"),
    ],
)
def test_weights_that_cannot_be_used_are_said(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read(frame, "income", weights="counts")


def test_a_test_without_any_weight_is_said() -> None:
    with pytest.raises(UserError, match="zero in all 10 rows of the test"):
        read(weighted(), "income", test=weighted(0.0, 10), weights="counts")
    with pytest.raises(UserError, match=r"lacks 1 of the columns .* 'counts'"):
        read(weighted(), "income", test=people(10), weights="counts")


def test_a_split_that_leaves_the_test_without_any_weight_is_said() -> None:
    frame = weighted(0.0, 200)
    _, pool, _ = divide(read(frame, "income"), 0)
    first = [pool[frame["income"].to_numpy()[pool] == name][0] for name in ("high", "low")]
    frame.loc[first, "counts"] = 1.0
    with pytest.raises(UserError, match="weights of all 40 test rows are zero"):
        divide(read(frame, "income", weights="counts"), 0)


def test_the_column_of_the_weights_is_one_of_the_table_and_nothing_else() -> None:
    with pytest.raises(UserError, match=r"column 'count' is not in .*; did you mean 'counts'"):
        read(weighted(), "income", weights="count")
    with pytest.raises(UserError, match="weights cannot be 'income': it is the target"):
        read(weighted(), "income", weights="income")
    with pytest.raises(UserError, match="cannot exclude 'counts': it holds the weights"):
        read(weighted(), "income", weights="counts", exclude=["counts"])


def test_images_have_no_column_to_name() -> None:
    images = np.zeros((20, 4, 4), np.uint8)
    with pytest.raises(UserError, match="weights name a column, but the source holds images"):
        read((images, np.arange(20) % 2), None, weights="counts")
