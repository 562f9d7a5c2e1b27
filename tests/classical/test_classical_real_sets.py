"""The families on real tables: scores a reader of the literature expects."""

from pathlib import Path

import numpy as np
import pytest

from steelyard.classical import LONGER, Boosting, Forest, Linear, Neighbors
from steelyard.data.dataset import Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.source import read
from steelyard.parts import Estimator

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside this checkout"),
]


@pytest.fixture(scope="module")
def adult() -> tuple[Dataset, Dataset]:
    """The train and the test file."""
    folder = DATA / "adult"
    rows = read(folder / "adult-train.csv", "column_15", test=folder / "adult-test.csv")
    assert rows.part is not None
    return rows.take(np.flatnonzero(rows.part != "test")), rows.take(np.flatnonzero(rows.part == "test"))


@pytest.fixture(scope="module")
def california() -> tuple[Dataset, Dataset]:
    """Four fifths and one fifth."""
    rows = read(DATA / "california-housing" / "housing.csv", "median_house_value")
    order = np.random.default_rng(0).permutation(len(rows))
    return rows.take(order[len(rows) // 5 :]), rows.take(order[: len(rows) // 5])


def predictions(part: Estimator, train: Dataset, test: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """What the part predicts for the test rows, and the truth."""
    assert train.target is not None and test.target is not None
    onehot = part.wants == "onehot"
    prepare = TablePreparation() if onehot else TablePreparation(numbers="none", categories="ordinal")
    fitted = prepare.fit(train)
    classes, task = len(train.classes), "binary" if train.classes else "regression"
    matrix = fitted.matrix(train)
    model = part.fit(matrix, train.target, task, classes, 0, categorical=fitted.categorical)  # type: ignore[call-arg]
    return model.predict(fitted.matrix(test)), test.target


@pytest.mark.parametrize(
    ("part", "least"),
    [(Linear(), 0.845), (Neighbors(), 0.83), (Forest(), 0.855), (Boosting(), 0.868), (LONGER, 0.870)],
    ids=["linear", "neighbors", "forest", "boosting", "longer"],
)
def test_adult_is_predicted_as_well_as_the_literature_says(
    part: Estimator, least: float, adult: tuple[Dataset, Dataset]
) -> None:
    probabilities, truth = predictions(part, *adult)
    assert (probabilities.argmax(axis=1) == truth).mean() > least


@pytest.mark.parametrize(
    ("part", "most"),
    [(Linear(), 71_000), (Neighbors(), 62_000), (Forest(), 50_500), (Boosting(), 48_500), (LONGER, 47_000)],
    ids=["linear", "neighbors", "forest", "boosting", "longer"],
)
def test_california_is_predicted_as_well_as_the_literature_says(
    part: Estimator, most: float, california: tuple[Dataset, Dataset]
) -> None:
    values, truth = predictions(part, *california)
    assert np.sqrt(np.mean((values - truth) ** 2)) < most


def test_longer_boosting_beats_the_defaults_on_california(california: tuple[Dataset, Dataset]) -> None:
    errors = []
    for part in (Boosting(), LONGER):
        values, truth = predictions(part, *california)
        errors.append(np.sqrt(np.mean((values - truth) ** 2)))
    assert errors[1] < 0.98 * errors[0]
