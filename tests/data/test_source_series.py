"""Series from every kind of source, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.layout import Layout
from steelyard.data.source import read, read_like
from steelyard.errors import UserError

HEAD = "@problemName waves\n@timeStamps false\n@univariate true\n@classLabel true up down\n@data\n"
LONG = Layout(id="who", time="when")


def ts(folder: Path, lines: list[str], head: str = HEAD, name: str = "Waves_TRAIN.ts") -> Path:
    file = folder / name
    file.write_text(head + "\n".join(lines) + "\n")
    return file


def waves(count: int = 12) -> list[str]:
    return [f"{i},{i + 1},{i * 2}.5:{'up' if i % 2 else 'down'}" for i in range(count)]


def long_table(ids: int = 12) -> pd.DataFrame:
    """`ids` series of 3 to 5 steps, one a day, whose class is told by the sign of their values."""
    rows = [
        {"who": f"p{i}", "when": f"2024-01-{1 + t:02d}", "pulse": (1 if i % 2 else -1) * (t + 1.0), "kind": "ab"[i % 2]}
        for i in range(ids)
        for t in range(3 + i % 3)
    ]
    return pd.DataFrame(rows)


# -- files of the archive -----------------------------------------------------------------------------------------


def test_a_ts_file_is_read_with_its_classes(tmp_path: Path) -> None:
    dataset = read(ts(tmp_path, waves()), None)
    assert (dataset.schema.modality, dataset.classes, dataset.series.shape) == ("series", ("down", "up"), (12, 1, 3))
    assert dataset.series[3, 0].tolist() == [3, 4, 6.5]
    assert dataset.series.dtype == np.float32


def test_a_second_ts_file_is_the_test_part(tmp_path: Path) -> None:
    test = ts(tmp_path, waves(5), name="Waves_TEST.ts")
    dataset = read(ts(tmp_path, waves()), None, test=test)
    assert dataset.part.tolist() == ["train"] * 12 + ["test"] * 5
    assert "5 test cases" in dataset.notes


def test_channels_unequal_lengths_and_missing_values_of_a_ts_file(tmp_path: Path) -> None:
    head = HEAD.replace("@univariate true", "@univariate false\n@dimensions 2\n@equalLength false")
    cases = [f"{i},?,3:1,2,{i}:up" if i % 2 else f"{i},2:NaN,4:down" for i in range(12)]
    dataset = read(ts(tmp_path, cases, head), None)
    assert dataset.series.shape == (12, 2, 3)
    assert np.isnan(dataset.series[1, 0]).tolist() == [False, True, False]
    assert np.isnan(dataset.series[0]).tolist() == [[False, False, True], [True, False, True]]
    assert "series of 2 channels and 2 to 3 steps" in dataset.notes


def test_target_labels_of_a_ts_file_are_values(tmp_path: Path) -> None:
    head = HEAD.replace("@classLabel true up down", "@targetlabel true")
    dataset = read(ts(tmp_path, [f"1,2,{i}:{i / 4}" for i in range(12)], head), None)
    assert (dataset.classes, dataset.target[6]) == ((), 1.5)


@pytest.mark.parametrize(
    ("line", "head", "message"),
    [
        ("1,2,x:up", HEAD, "line 18: value 3 is no number: 'x'"),
        ("1,2,3:left", HEAD, "line 18: 'left' is no class"),
        ("1,2,3", HEAD, "line 18 has no colon"),
        ("1,2:3,4:up", HEAD, "line 18 has 2 channels, the cases before it have 1"),
        ("1,2:up", HEAD.replace("@data", "@dimensions 3\n@data"), "line 7 has 1 channel, but @dimensions says 3"),
        ("", HEAD.replace("@data\n", ""), "expected a line with @ before @data"),
        ("", HEAD.replace("@data", "@dimension 3\n@data"), "line 5: there is no '@dimension'"),
        ("", HEAD.replace("@timeStamps false", "@timeStamps true"), "line 2: series with a time stamp at every value"),
    ],
)
def test_what_is_wrong_in_a_ts_file_is_said_with_its_line(tmp_path: Path, line: str, head: str, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        read(ts(tmp_path, [*waves(), line], head), None)


def test_a_ts_file_that_is_cut_off_binary_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no line @data"):
        read(ts(tmp_path, [], "@problemName waves\n"), None)
    with pytest.raises(UserError, match="holds no series"):
        read(ts(tmp_path, []), None)
    (tmp_path / "b.ts").write_bytes(b"\x00\x01" * 50)
    with pytest.raises(UserError, match=r"b\.ts is binary"):
        read(tmp_path / "b.ts", None)


@pytest.mark.parametrize(
    ("name", "between"), [("X_TRAIN", " "), ("X_TRAIN.tsv", "\t"), ("X_TRAIN.txt", ","), ("x", " ")]
)
def test_the_older_text_form_has_the_label_first(tmp_path: Path, name: str, between: str) -> None:
    lines = [
        between.join([f"{1.0 if i % 2 else -1.0:.7e}", *(f"{i + t / 2:.7e}" for t in range(4))]) for i in range(12)
    ]
    (tmp_path / name).write_text("\n".join(lines))
    dataset = read(tmp_path / name, None, modality="series" if name == "x" else None)
    assert (dataset.classes, dataset.series.shape) == (("-1", "1"), (12, 1, 4))
    assert dataset.series[2, 0].tolist() == [2, 2.5, 3, 3.5]


def test_a_table_whose_name_ends_in_train_stays_a_table(tmp_path: Path) -> None:
    pd.DataFrame({"a": range(20), "b": [i % 3 for i in range(20)], "y": ["u", "v"] * 10}).to_csv(
        tmp_path / "t_train.csv", index=False
    )
    assert read(tmp_path / "t_train.csv", "y").schema.modality == "tabular"


# -- arrays -------------------------------------------------------------------------------------------------------


def test_arrays_that_cannot_be_images_are_series() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2, 30))
    dataset = read((x, ["a", "b"] * 10), None)
    assert (dataset.schema.modality, dataset.series.shape) == ("series", (20, 2, 30))
    assert read((np.where(x[:, :, :4] > 1, np.nan, x[:, :, :4]), ["a", "b"] * 10), None).schema.modality == "series"


def test_a_word_makes_a_matrix_series_and_a_table_without_it() -> None:
    x, y = np.random.default_rng(0).normal(size=(20, 30)), ["a", "b"] * 10
    assert read((x, y), None, modality="series").series.shape == (20, 1, 30)
    assert read((x, y), None).schema.modality == "tabular"


def test_arrays_of_which_nobody_could_tell_ask_for_the_word() -> None:
    x, y = np.random.default_rng(0).random((20, 2, 30)), ["a", "b"] * 10
    with pytest.raises(UserError, match="say modality='series' or modality='image'"):
        read((x, y), None)
    with pytest.raises(UserError, match=r"if these are images, scale them to 0\.\.255; if they are series"):
        read((x[:, :, :4] - 0.5, y), None)
    assert read((x, y), None, modality="series").schema.modality == "series"
    assert read(((x * 255).astype(np.uint8), y), None).schema.modality == "image"


def test_a_list_of_series_may_have_any_lengths() -> None:
    x = [np.arange(float(3 + i % 4)) for i in range(20)]
    dataset = read((x, [i % 2 for i in range(20)]), None)
    assert dataset.series.shape == (20, 1, 6)
    assert read_like([np.arange(9.0)], dataset.schema, dataset.classes).series.shape == (1, 1, 9)


def test_arrays_that_make_no_sense_are_refused() -> None:
    x = np.zeros((20, 2, 30))
    with pytest.raises(UserError, match="modality is one of"):
        read((x, [0, 1] * 10), None, modality="serie")
    with pytest.raises(UserError, match="X has 20 series but y has 3 values"):
        read((x, [0, 1, 0]), None, modality="series")
    with pytest.raises(UserError, match="series need shape"):
        read((np.zeros((20, 2, 3, 4)), [0, 1] * 10), None, modality="series")
    with pytest.raises(UserError, match="says no class and no value"):
        read(x, None, modality="series")


def test_prediction_needs_the_same_channels_and_some_values() -> None:
    trained = read((np.random.default_rng(0).normal(size=(20, 2, 30)), ["a", "b"] * 10), None)
    with pytest.raises(UserError, match="1 channel, the model learnt from 2"):
        read_like(np.zeros((3, 1, 30)), trained.schema, trained.classes)
    with pytest.raises(UserError, match="1 series of array have no value at all"):
        read_like(np.stack([np.zeros((2, 30)), np.full((2, 30), np.nan)]), trained.schema, trained.classes)


def test_series_of_one_point_are_set_aside_and_said() -> None:
    x = [np.arange(5.0)] * 10 + [np.arange(5.0)[::-1]] * 10 + [np.array([1.0])]
    dataset = read((x, ["a"] * 10 + ["b"] * 11), None)
    assert len(dataset) == 20
    assert "1 series set aside: fewer than 2 values (21)" in dataset.notes
    with pytest.raises(UserError, match="every series of array has fewer than 2 values"):
        read(([np.array([1.0])] * 20, [0, 1] * 10), None)


# -- long tables --------------------------------------------------------------------------------------------------


def test_a_long_table_gives_one_case_an_id() -> None:
    dataset = read(long_table(), "kind", layout=LONG)
    assert (dataset.series.shape, dataset.classes, dataset.origin[:2]) == ((12, 1, 5), ("a", "b"), ("p0", "p1"))
    assert dataset.series[1, 0].tolist()[:4] == [1, 2, 3, 4]
    assert np.isnan(dataset.series[1, 0, 4])


def test_rows_in_any_order_give_the_same_series_and_it_is_said() -> None:
    table = long_table()
    stirred = table.sample(frac=1, random_state=0)
    dataset = read(stirred, "kind", layout=LONG)
    straight = read(table, "kind", layout=LONG)
    order = [dataset.origin.index(name) for name in straight.origin]
    assert np.array_equal(dataset.series[order], straight.series, equal_nan=True)
    assert any("not in order" in note for note in dataset.notes)
    assert not any("not in order" in note for note in straight.notes)


def test_zones_are_brought_to_one_or_refused() -> None:
    table = long_table()
    table["when"] += ["T10:00+02:00" if i % 2 else "T10:00-05:00" for i in range(len(table))]
    assert any("2 zones (+02:00, -05:00): all brought to UTC" in n for n in read(table, "kind", layout=LONG).notes)
    table.loc[0, "when"] = "2024-01-01T10:00"
    with pytest.raises(UserError, match=r"has a zone in some rows .* and none in others"):
        read(table, "kind", layout=LONG)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: pd.concat([t, t.iloc[[4]]]), "id 'p1' has 2 rows at a time there is one already, as 2024-01-02"),
        (lambda t: t.assign(kind=["a", "b"] * (len(t) // 2)), "target 'kind' changes within id 'p0'"),
        (lambda t: t.assign(when="soon"), "holds neither dates nor numbers"),
        (lambda t: t.assign(when=t["when"].where(t.index != 3)), "is missing or no date in 1 row"),
        (lambda t: t.assign(who=t["who"].where(t.index != 3)), "id 'who' of table is missing in 1 row"),
        (lambda t: t.drop(columns="pulse"), "has no column of numbers besides"),
        (lambda t: t.rename(columns={"when": "date"}), "column 'when' is not in table"),
    ],
)
def test_long_tables_that_cannot_be_read_are_refused(change: object, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        read(change(long_table()).reset_index(drop=True), "kind", layout=LONG)  # type: ignore[operator]


def test_a_long_table_is_read_like_the_trained_one_without_its_target() -> None:
    trained = read(long_table(), "kind", layout=LONG)
    fresh = read_like(long_table(4).drop(columns="kind"), trained.schema, trained.classes)
    assert (fresh.series.shape, fresh.target, fresh.origin) == ((4, 1, 5), None, ("p0", "p1", "p2", "p3"))
    assert read_like(long_table(4), trained.schema, trained.classes).target.tolist() == [0, 1, 0, 1]


def test_a_layout_that_makes_no_sense_is_refused() -> None:
    for wrong, message in (
        ({"horizon": 0}, "horizon is a whole number of steps from 1, got 0"),
        ({"window": 5}, "window belongs to a forecast"),
        ({"id": "a"}, "nothing says their order"),
        ({"id": "a", "time": "a"}, "id and time are both 'a'"),
    ):
        with pytest.raises(UserError, match=message):
            Layout(**wrong)
    with pytest.raises(UserError, match="modality is 'image'"):
        read(long_table(), "kind", layout=LONG, modality="image")
    with pytest.raises(UserError, match="needs a column that tells them apart"):
        read(long_table(), "kind", layout=Layout(time="when"))
