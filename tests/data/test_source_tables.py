"""Tables in: what is read, what is inferred, what is said."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from steelyard.data.dataset import Dataset
from steelyard.data.source import read, read_like

ROWS = 40


def table(**columns: object) -> pd.DataFrame:
    """Forty rows with a number, a category and a target; columns given replace or add to them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, ROWS).round(4),
            "city": np.array(["Rome", "Oslo", "Bern", "Kyiv"])[np.arange(ROWS) % 4],
            "income": np.where(np.arange(ROWS) % 3 == 0, "high", "low"),
        }
    )
    return frame.assign(**columns)


def written(folder: Path, frame: pd.DataFrame, name: str = "adult.csv", **options: object) -> Path:
    path = folder / name
    frame.to_csv(path, index=False, **options)
    return path


def said(dataset: Dataset, *words: str) -> bool:
    """Whether one note holds all the words."""
    return any(all(word in note for word in words) for note in dataset.notes)


def kinds(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in dataset.schema.columns}


def test_a_csv_becomes_typed_columns_and_a_coded_target(tmp_path: Path) -> None:
    dataset = read(written(tmp_path, table()), "income")
    assert kinds(dataset) == {"age": "number", "city": "category"}
    assert dataset.classes == ("high", "low")
    assert dataset.target is not None and dataset.target.dtype == np.int64
    assert dataset.target[:4].tolist() == [0, 1, 1, 0]
    assert dataset.frame is not None
    assert dataset.frame["age"].dtype == np.float64
    assert dataset.frame["city"].dtype == object
    assert len(dataset) == len(dataset.origin) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    assert len(read(written(tmp_path, table(), sep=delimiter), "income").schema.columns) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_encoding_is_found_and_said(tmp_path: Path, encoding: str) -> None:
    frame = table(city=np.array(["Zürich", "Málaga"])[np.arange(ROWS) % 2])
    dataset = read(written(tmp_path, frame, encoding=encoding), "income")
    assert dataset.frame is not None and set(dataset.frame["city"]) == {"Zürich", "Málaga"}
    assert said(dataset, encoding)


def test_quotes_after_a_space_are_quotes(tmp_path: Path) -> None:
    lines = [f'{i % 7}, "Rome, Italy", {"ab"[i % 2]}' if i % 3 else f"{i}, Oslo, {'ab'[i % 2]}" for i in range(30)]
    (tmp_path / "a.csv").write_text("size, place, y\n" + "\n".join(lines))
    dataset = read(tmp_path / "a.csv", "y")
    assert dataset.frame is not None and set(dataset.frame["place"]) == {"Rome, Italy", "Oslo"}


def test_parquet_pandas_and_polars_give_what_the_csv_gives(tmp_path: Path) -> None:
    frame = table()
    frame.to_parquet(tmp_path / "a.parquet")
    expected = read(written(tmp_path, frame), "income")
    for source in (tmp_path / "a.parquet", frame, pl.from_pandas(frame), pl.from_pandas(frame).lazy()):
        dataset = read(source, "income")
        assert dataset.schema == expected.schema
        assert dataset.fingerprint == expected.fingerprint


def test_a_zip_with_one_csv_is_a_table_and_a_csv_in_a_zip_can_be_named(tmp_path: Path) -> None:
    import zipfile

    path = written(tmp_path, table())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "in/a.csv")
    assert len(read(tmp_path / "a.zip", "income")) == ROWS
    assert len(read(f"{tmp_path}/a.zip/in/a.csv", "income")) == ROWS


def test_arrays_have_numbered_columns(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 3))
    y = np.arange(30) % 2
    pair = read((x, y), None)
    assert [c.name for c in pair.schema.columns] == ["x0", "x1", "x2"] and pair.classes == ("0", "1")
    whole = read(np.column_stack([x, y]), -1)
    assert whole.schema.target == "x3" and whole.classes == ("0", "1")
    middle = read(np.column_stack([x[:, :1], y, x[:, 1:]]), 1)
    assert middle.schema.target == "x1"


def test_a_csv_without_header_gets_numbered_columns_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, table(), header=False)
    dataset = read(path, "column_3")
    assert len(dataset) == ROWS and said(dataset, "no header", "column_1")
    for target in ("3", "-1", 3, -1):
        assert read(path, target).schema.target == "column_3"


def test_the_target_named_in_the_first_line_makes_it_a_header(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["p", "q"] * 20, "b": ["r", "s", "r", "r"] * 10, "y": ["u", "v"] * 20})
    assert len(read(written(tmp_path, frame), "y")) == 40


def test_column_names_that_are_counted_numbers_are_a_header(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 4)).round(3))
    assert len(read(written(tmp_path, frame), "3")) == 30


def test_spaces_are_stripped_and_a_point_behind_the_test_classes_is_taken_off(tmp_path: Path) -> None:
    train = table(city=" Rome", income=np.where(np.arange(ROWS) % 3 == 0, " >50K", " <=50K"))
    train["city"] = np.where(np.arange(ROWS) % 2, " Rome", " Oslo")
    test = train.assign(income=train["income"] + ".", age=train["age"] + 0.5)
    dataset = read(
        written(tmp_path, train, header=False), -1, test=written(tmp_path, test, "adult-test.csv", header=False)
    )
    assert dataset.classes == ("<=50K", ">50K")
    assert dataset.part is not None and dataset.part.tolist() == ["train"] * ROWS + ["test"] * ROWS
    assert dataset.frame is not None and set(dataset.frame["column_2"]) == {"Rome", "Oslo"}
    assert said(dataset, "end in a point")


def test_a_split_column_is_a_ready_split_and_no_input(tmp_path: Path) -> None:
    words = np.array(["train", "train", "val", "Test"])[np.arange(ROWS) % 4]
    dataset = read(written(tmp_path, table(split=words)), "income")
    assert dataset.part is not None and dataset.part[:4].tolist() == ["train", "train", "dev", "test"]
    assert "split" not in kinds(dataset) and said(dataset, "ready split", "10 test")


def test_question_marks_and_na_words_are_missing_and_counted(tmp_path: Path) -> None:
    frame = table()
    frame["age"] = frame["age"].astype(str)
    frame.loc[[0, 1], "age"] = "?"
    frame.loc[[2, 3, 4], "city"] = ["", "NA", " ? "]
    dataset = read(written(tmp_path, frame), "income")
    assert dataset.frame is not None
    assert dataset.frame["age"].isna().sum() == 2
    assert dataset.frame["city"][2] is None and dataset.frame["city"].isna().sum() == 3
    assert said(dataset, "5 cells missing", "'city' 3", "'age' 2")


def test_ids_constants_and_empty_columns_are_left_out_and_said_but_free_text_is_used(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = table(
        Order=np.arange(1, ROWS + 1),
        PID=rng.permutation(10**6)[:ROWS],
        code=[f"k{i}x" for i in range(ROWS)],
        same="one",
        void=np.nan,
        remark=[f"this is remark number {i} about nothing at all" for i in range(ROWS)],
    )
    dataset = read(written(tmp_path, frame), "income")
    assert kinds(dataset) == {"age": "number", "city": "category", "remark": "text"}
    assert dataset.schema.modality == "mixed"
    assert said(dataset, "'Order', 'PID', 'code' look like ids (40 different values in 40 rows): left out")
    assert said(dataset, "'same' holds one value only")
    assert said(dataset, "'void' is empty")


def test_an_id_is_kept_when_there_is_no_other_input(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": np.arange(50), "y": np.sin(np.arange(50))})
    dataset = read(written(tmp_path, frame), "y")
    assert kinds(dataset) == {"t": "number"} and said(dataset, "'t' looks like an id", "no other input")


def test_different_whole_measurements_are_no_id() -> None:
    area = np.random.default_rng(0).permutation(10**5)[:ROWS]
    assert kinds(read(table(area=area), "income"))["area"] == "number"


def test_a_few_stray_words_do_not_make_numbers_a_category(tmp_path: Path) -> None:
    frame = table()
    frame["age"] = frame["age"].astype(str)
    frame.loc[5, "age"] = "many"
    dataset = read(written(tmp_path, frame), "income")
    assert kinds(dataset)["age"] == "number" and said(
        dataset, "'age' is a number: 1 other cell taken as missing ('many')"
    )
    assert dataset.frame is not None and np.isnan(dataset.frame["age"][5])


def test_infinite_values_count_as_missing_and_are_said() -> None:
    frame = table()
    frame.loc[[1, 2], "age"] = [np.inf, -np.inf]
    dataset = read(frame, "income")
    assert (
        dataset.frame is not None and np.isnan(dataset.frame["age"][1]) and said(dataset, "2 infinite cells", "'age'")
    )


def test_bools_and_declared_categories_are_categories_and_whole_numbers_stay_numbers() -> None:
    frame = table(flag=np.arange(ROWS) % 2 == 0, grade=pd.Categorical(np.arange(ROWS) % 5), rooms=np.arange(ROWS) % 6)
    dataset = read(frame, "income")
    assert kinds(dataset) == {
        "age": "number",
        "city": "category",
        "flag": "category",
        "grade": "category",
        "rooms": "number",
    }
    assert dataset.frame is not None
    assert dataset.frame["flag"][0] == "True" and dataset.frame["grade"][3] == "3"


def test_nullable_types_of_pandas_are_read() -> None:
    frame = table(rooms=pd.array([1, None, 3, 4] * 10, dtype="Int64"), ok=pd.array([True, None] * 20, dtype="boolean"))
    dataset = read(frame, "income")
    assert dataset.frame is not None
    assert np.isnan(dataset.frame["rooms"][1]) and dataset.frame["ok"][1] is None


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%b %d, %Y", "%d-%b-%Y"]
)
def test_dates_are_found_and_their_format_is_kept_for_prediction(tmp_path: Path, form: str) -> None:
    days = pd.date_range("2020-01-01", periods=ROWS, freq="9D")
    frame = table(day=days.strftime(form))
    dataset = read(written(tmp_path, frame), "income")
    assert kinds(dataset)["day"] == "date" and said(dataset, "'day' holds dates")
    assert dataset.frame is not None and dataset.frame["day"].dtype == "datetime64[ns]"
    assert (dataset.frame["day"] == days).all()
    again = read_like(frame.iloc[3:4], dataset.schema)
    assert again.frame is not None and again.frame["day"][0] == days[3]


def test_dates_of_pandas_are_dates_without_a_zone() -> None:
    days = pd.date_range("2020-01-01", periods=ROWS, tz="Europe/Rome")
    dataset = read(table(day=days), "income")
    assert dataset.frame is not None and str(dataset.frame["day"].dtype) == "datetime64[ns]"


def test_rows_without_a_target_are_left_out_and_said(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[0, 7], "income"] = None
    dataset = read(written(tmp_path, frame), "income")
    assert len(dataset) == ROWS - 2 and dataset.origin[0] == "2" and said(dataset, "2 rows left out")


def test_infinite_targets_are_left_out_and_said() -> None:
    frame = table(price=np.random.default_rng(0).normal(size=ROWS))
    frame.loc[3, "price"] = np.inf
    dataset = read(frame, "price")
    assert len(dataset) == ROWS - 1 and said(dataset, "1 row left out", "infinite")


def test_a_class_with_one_row_is_left_out_and_said() -> None:
    frame = table()
    frame.loc[4, "income"] = "huge"
    dataset = read(frame, "income")
    assert dataset.classes == ("high", "low") and len(dataset) == ROWS - 1 and said(dataset, "'huge'")


def test_exact_duplicates_share_a_group_and_are_said() -> None:
    frame = table()
    frame.loc[9] = frame.loc[2]
    dataset = read(frame, "income")
    assert dataset.groups is not None and dataset.groups[9] == dataset.groups[2]
    assert len(np.unique(dataset.groups)) == ROWS - 1 and said(dataset, "2 rows are exact duplicates")


def test_without_duplicates_there_are_no_groups() -> None:
    assert read(table(), "income").groups is None


def test_excluded_columns_are_no_inputs() -> None:
    assert set(kinds(read(table(), "income", exclude=["city"]))) == {"age"}


def test_reading_like_keeps_every_row_in_order_and_the_target_may_be_absent(tmp_path: Path) -> None:
    dataset = read(table(), "income")
    fresh = table().drop(columns="income").iloc[::-1].assign(other=1)
    fresh["age"] = fresh["age"].astype(str)
    fresh.iloc[0, 0], fresh.iloc[1, 1] = "none of your business", "Atlantis"
    like = read_like(written(tmp_path, fresh), dataset.schema, dataset.classes)
    assert like.target is None and len(like) == ROWS and like.frame is not None
    assert list(like.frame) == ["age", "city"]
    assert np.isnan(like.frame["age"][0]) and like.frame["city"][1] == "Atlantis"
    assert said(like, "'none of your business'") and said(like, "1 other column ")


def test_reading_like_codes_a_known_target_and_leaves_an_unknown_one() -> None:
    dataset = read(table(), "income")
    like = read_like(table().iloc[:5], dataset.schema, dataset.classes)
    assert like.target is not None and like.target.tolist() == [0, 1, 1, 0, 1]
    strange = read_like(table(income="odd"), dataset.schema, dataset.classes)
    assert strange.target is None and said(strange, "no known class")


def test_one_row_can_be_read_like() -> None:
    dataset = read(table(), "income")
    assert len(read_like(table().iloc[:1], dataset.schema)) == 1


def test_a_file_without_header_is_read_like_one_with_and_without_its_target(tmp_path: Path) -> None:
    frame = table()[["age", "income", "city"]]
    dataset = read(written(tmp_path, frame, header=False), "column_2")
    for columns in (["age", "income", "city"], ["age", "city"]):
        one = written(tmp_path, frame[columns].iloc[:1], "one.csv", header=False)
        like = read_like(one, dataset.schema, dataset.classes)
        assert like.frame is not None and like.frame["column_3"].tolist() == ["Rome"]
        assert (like.target is None) == (len(columns) == 2)


def test_a_matrix_is_read_like_without_its_target() -> None:
    x = np.random.default_rng(0).normal(size=(30, 3))
    dataset = read(x, 1)
    like = read_like(x[:2, [0, 2]], dataset.schema)
    assert like.frame is not None and like.frame["x2"].tolist() == x[:2, 2].tolist()


def test_a_pair_may_hold_a_frame(tmp_path: Path) -> None:
    frame = table()
    dataset = read((frame.drop(columns="income"), frame["income"]), None)
    assert dataset.schema.target == "income" and dataset.classes == ("high", "low")


def test_a_blank_name_in_the_header_is_the_index_that_was_written(tmp_path: Path) -> None:
    text = io.StringIO()
    table().to_csv(text)
    (tmp_path / "a.csv").write_text(text.getvalue())
    dataset = read(tmp_path / "a.csv", "income")
    assert set(kinds(dataset)) == {"age", "city"} and said(dataset, "'column_1' looks like an id")


def test_a_row_that_is_much_of_all_is_spread_over_the_splits() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=1000), "y": random.choice(["no", "yes"], 1000)})
    frame.loc[100:199, ["a", "y"]] = [0.5, "no"]
    frame.loc[3] = frame.loc[2]
    dataset = read(frame, "y")
    assert dataset.groups is not None
    assert len(np.unique(dataset.groups)) == 999
    assert said(dataset, "100 rows repeat 1 so often that every split has its share of them")
    assert said(dataset, "2 rows are exact duplicates of others")


def test_forty_copies_of_a_row_stay_on_one_side() -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(0).normal(size=200), "y": ["no", "yes"] * 100})
    frame.loc[0:39, ["a", "y"]] = [0.5, "no"]
    dataset = read(frame, "y")
    assert dataset.groups is not None
    assert len(np.unique(dataset.groups)) == 161
