"""Every kind of source that holds texts becomes the right data set; what cannot be used is said or refused."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from texts import written

from steelyard.data.dataset import Dataset
from steelyard.data.source import read, read_like
from steelyard.errors import UserError


def said(dataset: Dataset, text: str) -> bool:
    return any(text in note for note in dataset.notes)


def rows_of(dataset: Dataset) -> list[tuple[str, str]]:
    column = dataset.schema.columns[0].name
    return [(dataset.classes[k], text) for k, text in zip(dataset.target, dataset.frame[column], strict=True)]


@pytest.fixture
def frame() -> pd.DataFrame:
    texts, labels = written(40)
    return pd.DataFrame({"words": texts, "topic": labels})


def folder_of(at: Path, rows: int = 24, parts: tuple[str, ...] = ("",)) -> Path:
    texts, labels = written(rows)
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        place = at / parts[number // 2 % len(parts)] / label
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(text, encoding="utf-8")
    return at


def lines_of(file: Path, rows: int = 40, sign: str = " ", seed: int = 0) -> Path:
    texts, labels = written(rows, seed=seed)
    text = "\n".join(f"{label}{sign}{text}" for text, label in zip(texts, labels, strict=True))
    file.write_text(text + "\n", encoding="utf-8")
    return file


# -- tables and lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_a_table_with_nothing_but_a_text_is_a_text_problem(tmp_path: Path, frame: pd.DataFrame, form: str):
    source: Path | pd.DataFrame = frame
    if form != "frame":
        source = tmp_path / f"table.{form}"
        frame.to_csv(source, index=False) if form == "csv" else frame.to_parquet(source)
    dataset = read(source, "topic")
    assert dataset.schema.modality == "text" and said(dataset, "inputs: 1 text")
    assert rows_of(dataset) == list(zip(frame["topic"], frame["words"], strict=True))
    again = read_like(frame.drop(columns="topic"), dataset.schema, dataset.classes)
    assert again.target is None and again.frame["words"].tolist() == frame["words"].tolist()


def test_without_a_target_a_text_and_few_labels_say_what_is_predicted(frame: pd.DataFrame):
    dataset = read(frame[["topic", "words"]], None)
    assert dataset.schema.target == "topic" and said(dataset, "no target was named: 'topic' (2 labels)")


def test_without_a_target_other_tables_ask_for_one(frame: pd.DataFrame):
    with pytest.raises(UserError, match="name the column to predict"):
        read(frame.assign(size=range(40)), None)
    with pytest.raises(UserError, match="name the column to predict"):
        read(frame[["words"]].assign(size=np.linspace(0, 1, 40)), None)


def test_several_texts_are_the_inputs_of_a_text_problem(frame: pd.DataFrame):
    dataset = read(frame.assign(more=written(40, seed=3)[0]), "topic")
    assert dataset.schema.modality == "text" and [c.name for c in dataset.schema.columns] == ["words", "more"]


def test_a_text_next_to_other_inputs_makes_a_mixed_table(frame: pd.DataFrame):
    dataset = read(frame.assign(size=[0.5 * (i % 7) for i in range(40)]), "topic")
    assert dataset.schema.modality == "mixed"
    assert {c.name: c.kind for c in dataset.schema.columns} == {"words": "text", "size": "number"}


def test_short_phrases_that_hardly_repeat_are_texts_when_they_are_all_there_is():
    names = [f"{a} {b}" for a in ("fail", "support", "need", "gain") for b in ("to", "for", "not", "well", "ever")]
    dataset = read(pd.DataFrame({"phrase": names, "good": [0, 1] * 10}), "good")
    assert dataset.schema.modality == "text" and said(dataset, "column 'phrase' is taken as text")
    with pytest.raises(UserError, match="looks like an id"):
        read(pd.DataFrame({"code": [f"{x} {n}" for n, x in enumerate(names)], "good": [0, 1] * 10}), "good")


@pytest.mark.parametrize("kind", [list, np.array, pd.Series], ids=["list", "array", "series"])
def test_a_list_of_strings_with_targets_is_a_text_problem(kind):
    texts, labels = written(40)
    dataset = read((kind(texts), labels), None)
    assert dataset.schema.modality == "text" and rows_of(dataset) == list(zip(labels, texts, strict=True))
    again = read_like(kind(texts[:3]), dataset.schema, dataset.classes)
    assert again.frame["text"].tolist() == texts[:3]


def test_texts_may_be_numbers_to_predict():
    texts, _ = written(40)
    dataset = read((texts, np.linspace(0, 1, 40)), None)
    assert dataset.schema.modality == "text" and dataset.classes == ()


def test_quotes_in_tab_separated_texts_swallow_no_lines(tmp_path: Path):
    texts, labels = written(40)
    texts[3], texts[9], texts[11] = '"Hello ' + texts[3], 'say "boo', '"all of it"'
    file = tmp_path / "messages"
    file.write_text("Label\tSMS\n" + "".join(f"{b}\t{a}\n" for a, b in zip(texts, labels, strict=True)))
    dataset = read(file, None)
    assert len(dataset) == 40 and dataset.schema.target == "Label"
    assert rows_of(dataset)[3][1] == texts[3] and rows_of(dataset)[11][1] == "all of it"


def test_the_same_text_twice_stays_on_one_side(frame: pd.DataFrame):
    dataset = read(pd.concat([frame, frame.iloc[:5]]), "topic")
    assert dataset.groups is not None and said(dataset, "10 rows are exact duplicates")
    assert dataset.groups[40:].tolist() == dataset.groups[:5].tolist()


# -- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["topics.train", "topics.txt", "topics"])
def test_lines_that_begin_with_a_label_need_no_target(tmp_path: Path, name: str):
    file = lines_of(tmp_path / name)
    dataset = read(file, None)
    texts, labels = written(40)
    assert rows_of(dataset) == list(zip(labels, texts, strict=True))
    assert said(dataset, "the first word of each line is taken as its label")


def test_labels_of_lines_are_classes_though_they_are_numbers(tmp_path: Path):
    texts, _ = written(200)
    file = tmp_path / "numbered.all"
    file.write_bytes("\n".join(f"{i % 25} {text} caf\xe9 x\x85y" for i, text in enumerate(texts)).encode("latin-1"))
    dataset = read(file, None)
    assert len(dataset) == 200 and len(dataset.classes) == 25


def test_a_second_file_of_lines_is_the_test(tmp_path: Path):
    train, test = lines_of(tmp_path / "a.train"), lines_of(tmp_path / "a.test", rows=6, seed=1)
    with test.open("a") as file:
        file.write("unheard this label is only in the test\n")
    dataset = read(train, None, test=test)
    assert dataset.part is not None and np.sum(dataset.part == "test") == 6
    assert said(dataset, "fewer than two rows of a class to learn from ('unheard')")


def test_lines_are_predicted_on_with_their_label_or_without(tmp_path: Path):
    dataset = read(lines_of(tmp_path / "a.train"), None)
    with_label = read_like(lines_of(tmp_path / "b.txt", rows=8, seed=1), dataset.schema, dataset.classes)
    texts, labels = written(8, seed=1)
    assert with_label.target is not None and rows_of(with_label) == list(zip(labels, texts, strict=True))
    (tmp_path / "c.txt").write_text("\n".join(texts) + "\n\n")
    without = read_like(tmp_path / "c.txt", dataset.schema, dataset.classes)
    assert without.target is None and without.frame["text"].tolist() == texts


def test_tables_are_no_lines_of_texts(tmp_path: Path):
    file = tmp_path / "german.data"
    file.write_text("".join(f"A1{i % 3} {i} A34 {2 * i} A4{i % 2}\n" for i in range(60)))
    with pytest.raises(UserError):
        read(file, None)


def test_plain_prose_is_no_file_of_labelled_lines(tmp_path: Path):
    file = tmp_path / "prose.txt"
    file.write_text("\n".join(f"{text.capitalize()}." for text in written(40)[0]))
    with pytest.raises(UserError, match="name the column to predict"):
        read(file, None)


# -- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_texts_in_class_folders_are_a_text_problem(tmp_path: Path, packed: bool):
    source = folder_of(tmp_path / "topics")
    if packed:
        files = [file for file in source.rglob("*") if file.is_file()]
        source = tmp_path / "topics.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(tmp_path))
    dataset = read(source, None)
    texts, labels = written(24)
    assert sorted(rows_of(dataset)) == sorted(zip(labels, texts, strict=True))
    assert dataset.origin[0].endswith("garden/0.txt") and dataset.schema.target == "class"


def test_folders_named_train_and_test_are_a_ready_split(tmp_path: Path):
    dataset = read(folder_of(tmp_path / "topics", 48, ("train", "train", "test")), None)
    assert dataset.part is not None and np.sum(dataset.part == "test") == 16


def test_a_second_folder_is_the_test(tmp_path: Path):
    dataset = read(folder_of(tmp_path / "a"), None, test=folder_of(tmp_path / "b", 6))
    assert dataset.part is not None and np.sum(dataset.part == "test") == 6


def test_a_folder_or_a_single_file_is_predicted_on(tmp_path: Path):
    dataset = read(folder_of(tmp_path / "topics"), None)
    flat = tmp_path / "new"
    flat.mkdir()
    (flat / "one.txt").write_text("roses and tulips\nand seeds")
    (flat / "two.txt").write_text("butter")
    (flat / "bad.txt").write_bytes(bytes(range(256)) * 20)
    found = read_like(flat, dataset.schema, dataset.classes)
    assert found.origin == ("one.txt", "two.txt") and found.unreadable == (("bad.txt", "it holds binary data"),)
    single = read_like(flat / "one.txt", dataset.schema, dataset.classes)
    assert len(single) == 1 and "seeds" in single.frame["document"].iloc[0]


# -- bad input --------------------------------------------------------------------------------------------------------


def test_binary_files_among_texts_are_set_aside_and_said(tmp_path: Path):
    source = folder_of(tmp_path / "topics")
    (source / "garden" / "picture.txt").write_bytes(b"\x89PNG\0\0\0" * 100)
    dataset = read(source, None)
    assert len(dataset) == 24 and dataset.unreadable == (("garden/picture.txt", "it holds binary data"),)
    assert said(dataset, "1 file set aside, not readable as text")


def test_nothing_but_binary_files_is_an_error(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_bytes(b"\0\1\2\3" * 100)
    with pytest.raises(UserError, match="holds no text that can be read"):
        read(tmp_path, None)
    (tmp_path / "lines.txt").write_bytes(b"\0\1\2\3" * 100)
    with pytest.raises(UserError, match="binary data"):
        read(tmp_path / "lines.txt", None)


def test_empty_documents_stay_and_are_said(tmp_path: Path):
    source = folder_of(tmp_path / "topics")
    (source / "garden" / "empty.txt").write_text(" \n")
    dataset = read(source, None)
    assert len(dataset) == 25 and said(dataset, "1 cell missing: 'document' 1")


def test_nothing_but_empty_documents_is_an_error(tmp_path: Path):
    for number in range(12):
        place = tmp_path / "ab"[number % 2]
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_text("")
    with pytest.raises(UserError, match="no word"):
        read(tmp_path, None)


def test_one_class_is_an_error(tmp_path: Path, frame: pd.DataFrame):
    with pytest.raises(UserError, match="one class only"):
        read(frame.assign(topic="garden"), "topic")
    only = folder_of(tmp_path / "topics")
    for file in (only / "kitchen").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="class"):
        read(only, None)


def test_undecodable_bytes_are_read_as_something(tmp_path: Path):
    source = folder_of(tmp_path / "topics")
    (source / "garden" / "odd.txt").write_bytes(b"caf\xe9 \xff\xfe\x81 roses")
    dataset = read(source, None)
    assert len(dataset) == 25 and any("roses" in text for text in dataset.frame["document"])


def test_columns_cannot_be_named_where_there_are_only_files(tmp_path: Path):
    with pytest.raises(UserError, match="there is no column 'size'"):
        read(folder_of(tmp_path / "topics"), None, exclude=("size",))
