"""Boosting: early stopping and native categories."""

import numpy as np

from steelyard.classical import Boosting
from steelyard.classical.trees import FittedTrees


def noise(rows: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)


def rounds(fitted: object) -> int:
    assert isinstance(fitted, FittedTrees)
    return len(fitted.roots) // fitted.per_round


def test_early_stopping_ends_before_the_last_iteration_on_noise() -> None:
    y = np.arange(400) % 2
    assert rounds(Boosting(iterations=500, early_stopping="on").fit(noise(400), y, "binary", 2, 0)) < 100


def test_without_early_stopping_every_iteration_is_run() -> None:
    y = np.arange(400) % 2
    assert rounds(Boosting(iterations=40, early_stopping="off").fit(noise(400), y, "binary", 2, 0)) == 40


def test_early_stopping_by_default_needs_more_than_ten_thousand_rows() -> None:
    part = Boosting(iterations=60, patience=5, max_leaf_nodes=4)
    assert rounds(part.fit(noise(10_000), np.arange(10_000) % 2, "binary", 2, 0)) == 60
    assert rounds(part.fit(noise(10_001), np.arange(10_001) % 2, "binary", 2, 0)) < 60


def test_early_stopping_copes_with_a_class_of_one_row() -> None:
    y = np.arange(300) % 3
    y[0] = 3
    predictions = Boosting(early_stopping="on").fit(noise(300), y, "multiclass", 4, 0).predict(noise(300))
    assert predictions.shape == (300, 4)


def test_early_stopping_copes_with_more_classes_than_held_out_rows() -> None:
    y = np.arange(40) // 2
    assert rounds(Boosting(iterations=30, early_stopping="on").fit(noise(40), y, "multiclass", 20, 0)) <= 30


def test_early_stopping_copes_with_classes_of_one_row_each() -> None:
    y = np.arange(12)
    assert rounds(Boosting(iterations=3, early_stopping="on").fit(noise(12), y, "multiclass", 12, 0)) == 3


def test_native_categories_part_scattered_codes_with_few_leaves() -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 40, (800, 1)).astype(np.float32)
    y = random.permutation(40)[x[:, 0].astype(int)] % 2  # the answer is a random half of the codes
    hits = {}
    for categories in ("ordinal", "native"):
        part = Boosting(iterations=1, max_leaf_nodes=2, learning_rate=1.0, categories=categories)
        fitted = part.fit(x, y, "binary", 2, 0, categorical=[0])
        hits[categories] = float((fitted.predict(x).argmax(axis=1) == y).mean())
    assert hits["native"] > 0.95 > 0.8 > hits["ordinal"]


def test_columns_of_too_many_codes_stay_ordinal() -> None:
    x = np.column_stack([np.arange(600), np.arange(600) % 7]).astype(np.float32)
    y = (x[:, 0] > 300).astype(np.int64)
    fitted = Boosting(categories="native").fit(x, y, "binary", 2, 0, categorical=[0, 1])
    assert isinstance(fitted, FittedTrees)
    np.testing.assert_array_equal(fitted.categorical, [1])
    np.testing.assert_array_equal(fitted.predict(x).argmax(axis=1), y)
