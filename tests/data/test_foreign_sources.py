"""Objects and files of other libraries in: what each becomes, and what is said where one cannot be used."""

import gzip
from collections import UserDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_linnerud
from sklearn.utils import Bunch
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset, random_split
from torch.utils.data import Dataset as TorchDataset

from steelyard.data.dataset import Dataset
from steelyard.data.source import read, read_like
from steelyard.errors import UserError

ROWS = 40
datasets.disable_progress_bars()


def frame(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Rows with a number, a category and a target."""
    random = np.random.default_rng(seed)
    age = random.normal(40, 10, rows).round(4)
    return pd.DataFrame({"age": age, "city": random.choice(["Rome", "Oslo", "Bern"], rows), "income": age > 40}).assign(
        income=lambda f: np.where(f.income, "high", "low")
    )


def kinds(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in dataset.schema.columns}


def same(one: Dataset, other: Dataset) -> bool:
    return one.fingerprint == other.fingerprint


def dots(number: int, size: int = 8) -> np.ndarray:
    """Grey pictures (n, size, size), every other one bright."""
    random = np.random.default_rng(1)
    return (random.integers(0, 100, (number, size, size)) + 120 * (np.arange(number) % 2)[:, None, None]).astype(
        np.uint8
    )


# -- tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["feather", "arrow", "stream", "jsonl", "json", "csv.gz", "jsonl.gz"])
def test_a_table_file_of_any_kind_gives_what_the_frame_gives(tmp_path: Path, kind: str) -> None:
    plain, path = frame(), tmp_path / f"people.{kind}"
    table = pa.Table.from_pandas(plain)
    if kind == "feather":
        pyarrow.feather.write_feather(plain, str(path))
    elif kind in {"arrow", "stream"}:
        opened = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        path = tmp_path / "people.arrow"
        with path.open("wb") as file, opened(file, table.schema) as writer:
            writer.write_table(table)
    else:
        lines = plain.to_json(orient="records", lines=kind.startswith("jsonl"))
        text = plain.to_csv(index=False) if kind.startswith("csv") else lines
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    assert same(read(path, "income"), read(plain, "income"))


def test_an_arrow_table_gives_what_the_frame_gives() -> None:
    table = pa.Table.from_pandas(frame())
    assert same(read(table, "income"), read(frame(), "income"))
    assert same(read(table.to_batches()[0], "income"), read(frame(), "income"))
    like = read_like(table, read(table, "income").schema, ("high", "low"))
    assert len(like) == ROWS and like.target is not None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.feather", b"ARROW1 and nothing else", "not a readable Arrow file"),
        ("a.arrow", b"no arrow at all, only text", "not a readable Arrow file"),
        ("a.feather", b"FEA1 of long ago", "Feather file of version 1"),
        ("a.csv.gz", b"\x1f\x8b but cut off", "not a readable gzip file"),
        ("a.jsonl", b'{"a": 1}\n{"a": ', "not readable JSON"),
        ("a.json", b'{"a": {"b": 1}}', "other JSON than a list of objects"),
        ("a.jsonl", b"[" * 100_000, "not readable JSON"),
    ],
)
def test_a_damaged_file_is_said_in_one_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        read(tmp_path / name, "a")


# -- scikit-learn ---------------------------------------------------------------------------------------------


def test_a_bunch_brings_its_columns_and_the_names_of_its_classes() -> None:
    dataset = read(load_iris(), None)
    assert dataset.classes == ("setosa", "versicolor", "virginica")
    assert kinds(dataset)["petal length (cm)"] == "number" and len(kinds(dataset)) == 4
    assert read(load_iris(as_frame=True), None).classes == dataset.classes


def test_a_bunch_of_values_is_a_regression_and_one_of_images_has_images() -> None:
    assert read(load_diabetes(), None).classes == ()
    digits = read(load_digits(), None)
    assert digits.schema.shape == (8, 8, 1) and digits.classes[:2] == ("0", "1")


def test_a_bunch_that_cannot_be_used_says_why() -> None:
    with pytest.raises(UserError, match="needs data and target"):
        read(Bunch(rows=[1]), None)
    with pytest.raises(UserError, match="3 rows but 2 targets"):
        read(Bunch(data=np.zeros((3, 1)), target=np.zeros(2)), None)
    assert "Waist" in kinds(read(load_linnerud(), "Weight"))  # several targets: the one that is named


# -- Hugging Face datasets ------------------------------------------------------------------------------------


def hub(rows: int = ROWS, seed: int = 0) -> datasets.Dataset:
    plain = frame(rows, seed)
    features = {"age": datasets.Value("float64"), "city": datasets.Value("string")}
    labels = datasets.ClassLabel(names=["low", "high"])
    columns = {"age": plain.age, "city": plain.city, "label": (plain.income == "high").astype(int)}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features | {"label": labels}))


def test_a_hub_data_set_names_its_classes_and_needs_no_target() -> None:
    dataset = read(hub(), None)
    assert dataset.classes == ("high", "low") and kinds(dataset) == {"age": "number", "city": "category"}
    assert len(read(hub().select(range(20)), None)) == 20


def test_the_parts_of_a_dict_of_hub_data_sets_are_the_ready_split() -> None:
    parts = datasets.DatasetDict(train=hub(), validation=hub(10, 1), test=hub(12, 2))
    dataset = read(parts, None)
    assert dataset.part is not None
    assert {part: int((dataset.part == part).sum()) for part in ("train", "dev", "test")} == {
        "train": 40,
        "dev": 10,
        "test": 12,
    }
    assert "split" not in kinds(dataset)


def test_a_saved_hub_data_set_reads_like_the_one_in_memory(tmp_path: Path) -> None:
    parts = datasets.DatasetDict(train=hub(), test=hub(12, 2))
    parts.save_to_disk(tmp_path / "both")
    assert same(read(tmp_path / "both", None), read(parts, None))
    hub().select([*range(30), 3]).save_to_disk(tmp_path / "one")  # rows that are chosen, not copied
    assert same(read(tmp_path / "one", "label"), read(hub().select([*range(30), 3]), "label"))


def test_a_saved_folder_that_is_not_whole_is_said(tmp_path: Path) -> None:
    hub().save_to_disk(tmp_path / "one")
    next((tmp_path / "one").glob("*.arrow")).unlink()
    with pytest.raises(UserError, match="lacks one of its tables"):
        read(tmp_path / "one", "label")
    (tmp_path / "one" / "state.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "one", "label")


def test_a_streamed_hub_data_set_is_read_item_by_item() -> None:
    dataset = read(hub().to_iterable_dataset(), None)
    assert dataset.classes == ("high", "low") and len(dataset) == ROWS


def test_parts_that_do_not_fit_together_are_said() -> None:
    with pytest.raises(UserError, match="'age' is in one only"):
        read(datasets.DatasetDict(train=hub(), test=hub(12).remove_columns("age")), None)
    with pytest.raises(UserError, match="a part 'extra'"):
        read(datasets.DatasetDict(train=hub(), extra=hub(12)), None)
    with pytest.raises(UserError, match="has no rows"):
        read(hub().select([]), None)


# -- PyTorch --------------------------------------------------------------------------------------------------


class Items(TorchDataset):
    """A map-style data set of given items."""

    def __init__(self, items: list[Any], classes: list[str] | None = None) -> None:
        self.items = items
        if classes:
            self.classes = classes

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> Any:
        return self.items[place]


class Stream(IterableDataset):
    """A stream without an end."""

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while True:
            yield np.array([number % 7, number % 3], np.float32), number % 2
            number += 1


def test_tensors_are_a_matrix_and_a_target() -> None:
    x, y = torch.arange(3.0 * ROWS).sin().view(ROWS, 3), torch.arange(ROWS) % 2
    dataset = read(TensorDataset(x, y), None)
    assert list(kinds(dataset)) == ["x0", "x1", "x2"] and dataset.classes == ("0", "1")
    assert same(read(DataLoader(TensorDataset(x, y), batch_size=4), None), dataset)
    assert len(read(Subset(TensorDataset(x, y), range(20)), None)) == 20


def test_images_come_as_tensors_arrays_and_pictures_with_the_names_of_classes() -> None:
    pixels, code = dots(ROWS), [i % 2 for i in range(ROWS)]
    expected = read((pixels, np.array(["dark", "light"])[code]), None)
    tensors = [(torch.from_numpy(p)[None] / 255, torch.tensor(c)) for p, c in zip(pixels, code, strict=True)]
    for items in (list(zip(pixels, code, strict=True)), tensors):
        dataset = read(Items(items, ["dark", "light"]), "class")
        assert same(dataset, expected) and dataset.schema.modality == "image"


def test_random_parts_of_a_data_set_are_train_and_test() -> None:
    whole = Items([(torch.randn(2), i % 2) for i in range(60)], ["no", "yes"])
    train, test = random_split(whole, [40, 20])
    dataset = read(train, None, test=test)
    assert dataset.classes == ("no", "yes") and dataset.part is not None and (dataset.part == "test").sum() == 20
    assert same(read({"train": train, "test": test}, None), dataset)


def test_items_may_be_dicts_texts_and_several_inputs() -> None:
    dicts = [{"age": i / 3, "city": "ab"[i % 2], "label": torch.tensor(i % 2)} for i in range(ROWS)]
    assert kinds(read(Items(dicts), None)) == {"age": "number", "city": "category"}
    several = [(torch.tensor([i / 3, i % 5]), "ab"[i % 2], i / 2) for i in range(ROWS)]
    assert kinds(read(Items(several), None)) == {"x0": "number", "x1": "number", "text": "category"}


def test_an_own_class_with_length_and_items_is_a_data_set() -> None:
    class Own(UserDict):  # neither a list nor a torch data set
        pass

    class Plain:
        def __len__(self) -> int:
            return ROWS

        def __getitem__(self, place: int) -> tuple[float, float]:
            return (place / 2, float(place % 3))

    assert len(read(Plain(), None)) == ROWS
    with pytest.raises(UserError, match="cannot read data from Own"):
        read(Own(a=1), "a")


def test_a_stream_is_read_up_to_a_limit_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steelyard.data.items.LIMIT", 50)
    dataset = read(Stream(), None)
    assert len(dataset) == 50 and any("first 50 items" in note for note in dataset.notes)


def test_items_to_predict_on_need_no_target() -> None:
    whole = Items([(torch.randn(2), i % 2) for i in range(60)])
    schema = read(whole, None).schema
    assert len(read_like(Items([torch.randn(2) for _ in range(5)]), schema, ("0", "1"))) == 5
    pictures = read(Items([(p, i % 2) for i, p in enumerate(dots(ROWS))]), None)
    assert len(read_like(Items(list(dots(5))), pictures.schema, ("0", "1"))) == 5


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "Items is empty"),
        ([(torch.randn(3), 0), (torch.randn(4), 1)], "different lengths: item 0 has 3 numbers, item 1 4"),
        ([(object(), 0)], "item 0 of Items holds object: expected"),
        ([(torch.zeros(2, 3, 4, 5), 0)], "holds an array"),
        ([(torch.randn(3), 0), "text"], "item 1 of Items has another form than item 0"),
        ([{"a": 1, "y": 0}, {"b": 1, "y": 0}], "item 1 of Items has other fields than item 0"),
        ([("a", 0), (np.zeros((3, 3)), 1)], "item 0 has text where item 1 has image"),
    ],
)
def test_items_that_cannot_be_used_are_named(items: list[Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read(Items(items), None)


def test_a_data_set_that_fails_on_an_item_is_said_in_one_line() -> None:
    class Broken(Items):
        def __getitem__(self, place: int) -> Any:
            if place == 3:
                raise FileNotFoundError("no file 3.png")
            return super().__getitem__(place)

    with pytest.raises(UserError, match=r"item 3 of Broken cannot be read: FileNotFoundError: no file 3.png"):
        read(Broken([(0.1 * i, i % 2) for i in range(9)]), None)


def test_normalised_images_are_refused_with_what_to_do() -> None:
    with pytest.raises(UserError, match="image arrays need finite numbers within"):
        read(Items([(torch.randn(1, 8, 8), i % 2) for i in range(ROWS)]), None)
