"""Tables with a column of images: paths beside the table, pictures, and what `datasets` writes."""

from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.data.source import read, read_like
from steelyard.errors import UserError

ROWS = 30
datasets.disable_progress_bars()


def pixels(row: int, size: int = 10) -> np.ndarray:
    """A grey picture of noise around a level of its own."""
    random = np.random.default_rng(row)
    return np.clip(random.integers(0, 60, (size, size)) + 4 * row, 0, 255).astype(np.uint8)


def album(folder: Path, **more: object) -> pd.DataFrame:
    """A table whose images lie in a folder beside it, written as table.csv."""
    (folder / "pics").mkdir(parents=True)
    for row in range(ROWS):
        Image.fromarray(pixels(row)).save(folder / "pics" / f"{row}.png")
    names = [f"pics/{row}.png" for row in range(ROWS)]
    kind = np.where(np.arange(ROWS) % 2 == 0, "cat", "dog")
    frame = pd.DataFrame({"photo": names, "kind": kind}).assign(**more)
    frame.to_csv(folder / "table.csv", index=False)
    return frame


def numbers() -> np.ndarray:
    return np.random.default_rng(0).normal(size=ROWS).round(4)


def said(dataset: Dataset, *words: str) -> bool:
    return any(all(word in note for word in words) for note in dataset.notes)


def test_a_table_of_paths_and_a_target_is_a_data_set_of_images(tmp_path: Path) -> None:
    album(tmp_path)
    dataset = read(tmp_path / "table.csv", "kind")
    assert dataset.schema.modality == "image" and dataset.schema.shape == (10, 10, 1)
    assert dataset.classes == ("cat", "dog") and dataset.frame is None
    assert dataset.images is not None and np.array_equal(dataset.images[3, ..., 0], pixels(3))


def test_values_are_predicted_from_images_too(tmp_path: Path) -> None:
    album(tmp_path, kind=numbers())
    dataset = read(tmp_path / "table.csv", "kind")
    assert dataset.schema.modality == "image" and dataset.classes == ()


def test_images_beside_other_columns_are_a_mixed_table(tmp_path: Path) -> None:
    album(tmp_path, size=numbers())
    dataset = read(tmp_path / "table.csv", "kind")
    assert dataset.schema.modality == "mixed"
    assert {column.name: column.kind for column in dataset.schema.columns} == {"size": "number", "photo": "image"}
    assert dataset.images is not None and len(dataset.images) == ROWS
    assert dataset.frame is not None and dataset.frame["photo"].eq(1).all()


def test_a_frame_takes_paths_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = album(tmp_path, size=numbers())
    monkeypatch.chdir(tmp_path)
    assert read(frame, "kind").fingerprint == read("table.csv", "kind").fingerprint
    far = frame.assign(photo=[str(tmp_path / name) for name in frame.photo])
    monkeypatch.chdir("/")
    assert read(far, "kind").schema.modality == "mixed"


def test_a_missing_image_is_set_aside_or_grey_beside_other_columns(tmp_path: Path) -> None:
    album(tmp_path / "only")
    album(tmp_path / "mixed", size=numbers())
    for folder in ("only", "mixed"):
        (tmp_path / folder / "pics" / "4.png").unlink()
        (tmp_path / folder / "pics" / "7.png").write_text("no image")
    alone = read(tmp_path / "only" / "table.csv", "kind")
    assert len(alone) == ROWS - 2 and [row for row, _ in alone.unreadable] == ["5", "8"]
    assert said(alone, "2 images of column 'photo' cannot be read", "pics/4.png")
    mixed = read(tmp_path / "mixed" / "table.csv", "kind")
    assert len(mixed) == ROWS and mixed.images is not None and mixed.frame is not None
    assert np.unique(mixed.images[4]).tolist() == [128] and mixed.frame["photo"].isna().sum() == 2


def test_an_empty_path_is_a_row_without_an_image(tmp_path: Path) -> None:
    frame = album(tmp_path, size=numbers())
    frame.loc[2, "photo"] = None
    frame.to_csv(tmp_path / "table.csv", index=False)
    dataset = read(tmp_path / "table.csv", "kind")
    assert len(dataset) == ROWS and said(dataset, "1 row without an image")


def test_paths_outside_the_folder_of_the_table_are_refused(tmp_path: Path) -> None:
    frame = album(tmp_path / "a")
    for path in ("../a/pics/0.png", str(tmp_path / "a" / "pics" / "0.png")):
        (tmp_path / "b").mkdir(exist_ok=True)
        frame.assign(photo=[path, *frame.photo[1:]]).to_csv(tmp_path / "b" / "table.csv", index=False)
        with pytest.raises(UserError, match="lies outside the table's folder"):
            read(tmp_path / "b" / "table.csv", "kind")


def test_names_of_images_that_are_nowhere_are_no_images(tmp_path: Path) -> None:
    frame = album(tmp_path / "a", size=numbers())
    frame.to_csv(tmp_path / "table.csv", index=False)
    dataset = read(tmp_path / "table.csv", "kind")
    assert dataset.schema.modality == "tabular" and said(dataset, "names images, but none of them is there")


def test_images_of_none_of_which_can_be_read_are_the_users_mistake(tmp_path: Path) -> None:
    album(tmp_path)
    for file in (tmp_path / "pics").iterdir():
        file.write_text("no image")
    with pytest.raises(UserError, match="none of the images in column 'photo' can be read"):
        read(tmp_path / "table.csv", "kind")


def test_rows_to_predict_on_come_at_the_size_of_training(tmp_path: Path) -> None:
    album(tmp_path / "train", size=numbers())
    schema = read(tmp_path / "train" / "table.csv", "kind").schema
    (tmp_path / "new").mkdir()
    Image.fromarray(pixels(3, 40)).save(tmp_path / "new" / "a.jpg")
    rows = pd.DataFrame({"photo": ["a.jpg", "gone.jpg"], "size": [0.1, None]})
    rows.to_csv(tmp_path / "new" / "rows.csv", index=False)
    dataset = read_like(tmp_path / "new" / "rows.csv", schema)
    assert dataset.images is not None and dataset.images.shape == (2, 10, 10, 1)
    with pytest.raises(UserError, match="the source holds images only"):
        read_like(tmp_path / "train" / "pics", schema)


def test_an_image_model_predicts_on_tables_and_on_folders(tmp_path: Path) -> None:
    album(tmp_path)
    dataset = read(tmp_path / "table.csv", "kind")
    assert len(read_like(tmp_path / "table.csv", dataset.schema, dataset.classes)) == ROWS
    assert len(read_like(tmp_path / "pics", dataset.schema, dataset.classes)) == ROWS


def test_rows_with_the_same_values_and_other_images_are_no_duplicates(tmp_path: Path) -> None:
    album(tmp_path, size=np.arange(ROWS) // 2 % 7 / 3)
    assert read(tmp_path / "table.csv", "kind").groups is None


def hub() -> datasets.Dataset:
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    pictures = [Image.fromarray(pixels(row)) for row in range(ROWS)]
    return datasets.Dataset.from_dict({"img": pictures, "label": [row % 2 for row in range(ROWS)]}, features=features)


def test_images_of_the_hub_are_read_in_memory_saved_and_from_parquet(tmp_path: Path) -> None:
    dataset = read(hub(), None)
    assert dataset.schema.modality == "image" and dataset.classes == ("cat", "dog")
    assert dataset.images is not None and np.array_equal(dataset.images[5, ..., 0], pixels(5))
    hub().save_to_disk(tmp_path / "saved")
    hub().to_parquet(tmp_path / "hub.parquet")
    for path in ("saved", "hub.parquet"):
        assert read(tmp_path / path, None).fingerprint == dataset.fingerprint
    assert read(hub().to_iterable_dataset(), None).fingerprint == dataset.fingerprint
    split = read(datasets.DatasetDict(train=hub(), test=hub().select(range(12))), None)
    assert split.part is not None and (split.part == "test").sum() == 12


def test_pictures_of_different_sizes_come_to_one(tmp_path: Path) -> None:
    cells = [Image.fromarray(pixels(row, 10 + row % 3)) for row in range(ROWS)]
    dataset = read(pd.DataFrame({"photo": cells, "kind": ["cat", "dog"] * (ROWS // 2)}), "kind")
    assert dataset.schema.modality == "image" and said(dataset, "3 different sizes")
