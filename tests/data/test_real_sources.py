"""The sources on real data sets, as their publishers distribute them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.source import read, read_like
from steelyard.data.sources import Mix
from steelyard.data.split import divide

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with real data sets is missing"),
]

TABLES = [
    ("ames-housing/AmesHousing.csv", "SalePrice", 2930, 79, ()),
    ("bank-marketing/bank-additional.zip/bank-additional/bank-additional-full.csv", "y", 41188, 20, ("no", "yes")),
    ("california-housing/housing.csv", "median_house_value", 20640, 9, ()),
    ("heart-disease/processed.cleveland.data", "14", 303, 13, ("0", "1", "2", "3", "4")),
    ("wine/winequality-red.csv", "-1", 1599, 11, ("3", "4", "5", "6", "7", "8")),
    ("imbalanced/mammography.csv", "-1", 11183, 6, ("-1", "1")),
    ("imbalanced/oil-spill.csv", "-1", 937, 48, ("0", "1")),
    ("bike-sharing/Bike-Sharing-Dataset/hour.csv", "cnt", 17379, 15, ()),
    ("bike-sharing/Bike-Sharing-Dataset/day.csv", "cnt", 731, 14, ()),
]


@pytest.mark.parametrize(("path", "target", "rows", "columns", "classes"), TABLES, ids=lambda v: str(v).split("/")[-1])
def test_a_real_table_is_read(path: str, target: str, rows: int, columns: int, classes: tuple[str, ...]) -> None:
    dataset = read(DATA / path, target)
    assert (len(dataset), len(dataset.schema.columns), dataset.classes) == (rows, columns, classes)
    like = read_like(DATA / path, dataset.schema, dataset.classes)
    assert like.frame is not None and dataset.frame is not None and like.frame.equals(dataset.frame)
    assert like.target is not None and np.array_equal(like.target, dataset.target)  # type: ignore[arg-type]


def test_adult_has_two_classes_over_both_its_files() -> None:
    dataset = read(DATA / "adult/adult-train.csv", "column_15", test=DATA / "adult/adult-test.csv")
    assert dataset.classes == ("<=50K", ">50K") and dataset.part is not None and np.sum(dataset.part == "test") == 16281
    assert dataset.frame is not None and int(dataset.frame.isna().sum().sum()) == 4262 + 2203


@pytest.mark.parametrize("path", ["fashion-mnist/fashion_mnist_images.zip", "mnist-png/mnist-pngs.zip"])
def test_seventy_thousand_images_in_a_zip_are_read_with_their_split(path: str) -> None:
    dataset = read(DATA / path, None)
    assert dataset.images is not None and dataset.images.shape == (70000, 28, 28, 1)
    assert dataset.classes == tuple("0123456789") and dataset.unreadable == ()
    assert dataset.part is not None and np.sum(dataset.part == "test") == 10000


def test_fashion_mnist_has_its_known_mean_and_spread() -> None:
    dataset = read(DATA / "fashion-mnist/fashion_mnist_images.zip", None)
    assert dataset.images is not None and dataset.part is not None
    pixels = dataset.images[dataset.part == "train"] / 255
    assert abs(pixels.mean() - 0.2860) < 1e-3 and abs(pixels.std() - 0.3530) < 1e-3


def test_flowers_are_five_classes_with_twins() -> None:
    dataset = read(DATA / "flowers5/flowers.zip", None)
    assert dataset.images is not None and dataset.images.shape == (4317, 64, 64, 3)
    assert dataset.classes == ("daisy", "dandelion", "rose", "sunflower", "tulip") and dataset.groups is not None


@pytest.mark.parametrize("target", ["hungarian", "switzerland", "va"])
def test_hospitals_are_mixed_with_one_of_them_in_dev_and_test(target: str) -> None:
    names = ("cleveland", "hungarian", "switzerland", "va")
    tables = [
        pd.read_csv(DATA / f"heart-disease/processed.{name}.data", header=None, na_values="?").assign(hospital=name)
        for name in names
    ]
    frame = pd.concat(tables, ignore_index=True).rename(columns=str)
    frame["13"] = (frame["13"] > 0).map({True: "ill", False: "well"})
    dataset = read(frame, "13", mix=Mix("hospital", (target,)))
    assert dataset.sources is not None
    protocol, pool, test = divide(dataset, 0)
    assert dataset.sources.counts(test) == {target: len(test)}
    for fold in range(protocol.folds):
        assert dataset.sources.counts(pool[protocol.split(0, fold)[1]]).keys() == {target}
        assert set(dataset.sources.counts(pool[protocol.train_dev(0, fold)])) == set(names)
