"""The contract of every classical family, on every task."""

from pathlib import Path

import numpy as np
import pytest

from steelyard.classical import FAMILIES, Dummy, Linear, Neighbors, load, save
from steelyard.classical.boosting import LONGER
from steelyard.data.prepare import TablePreparation
from steelyard.parts import Estimator
from steelyard.recipe import Recipe

PARTS = [*(family() for family in FAMILIES), LONGER]
NAMES = [*(family.kind for family in FAMILIES), "longer boosting"]
TASKS = {"binary": 2, "multiclass": 3, "regression": 1}

every_family = pytest.mark.parametrize("part", PARTS, ids=NAMES)
every_task = pytest.mark.parametrize("task", TASKS)


def problem(task: str, rows: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three numbers and a column of codes 0..5; the answer depends on all of them."""
    random = np.random.default_rng(seed)
    x = np.column_stack([random.normal(size=(rows, 3)), random.integers(0, 6, rows)]).astype(np.float32)
    signal = x[:, 0] - x[:, 1] + np.isin(x[:, 3], [1, 4]) + 0.3 * random.normal(size=rows)
    if task == "regression":
        return x, 1000.0 + 50.0 * signal.astype(np.float64)
    edges = np.quantile(signal, np.arange(1, TASKS[task]) / TASKS[task])
    return x, np.searchsorted(edges, signal).astype(np.int64)


@every_task
@every_family
def test_predictions_are_probabilities_per_class_or_values(part: Estimator, task: str) -> None:
    x, y = problem(task)
    predictions = part.fit(x, y, task, TASKS[task], 0).predict(x[:50])
    assert np.isfinite(predictions).all()
    if task == "regression":
        assert predictions.shape == (50,)
        assert predictions.dtype == np.float64
    else:
        assert predictions.shape == (50, TASKS[task])
        assert predictions.dtype == np.float32
        np.testing.assert_allclose(predictions.sum(axis=1), 1, atol=1e-5)


@every_task
@pytest.mark.parametrize("part", PARTS[1:], ids=NAMES[1:])
def test_a_family_beats_the_baseline_on_new_rows(part: Estimator, task: str) -> None:
    x, y = problem(task, 600)
    new, truth = problem(task, 300, seed=1)
    predictions = part.fit(x, y, task, TASKS[task], 0, categorical=[3]).predict(new)
    if task == "regression":
        assert np.mean((predictions - truth) ** 2) < 0.5 * truth.var()
    else:
        assert np.mean(predictions.argmax(axis=1) == truth) > 0.2 + 1 / TASKS[task]


@every_task
@every_family
def test_a_saved_model_predicts_bit_for_bit_the_same(part: Estimator, task: str, tmp_path: Path) -> None:
    x, y = problem(task)
    fitted = part.fit(x, y, task, TASKS[task], 0, categorical=[3])
    save(fitted, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(x), fitted.predict(x))


@every_task
@every_family
def test_the_same_seed_gives_the_same_model(part: Estimator, task: str) -> None:
    x, y = problem(task)
    first, second = (part.fit(x, y, task, TASKS[task], 7, categorical=[3]).predict(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@every_family
def test_a_class_absent_from_the_fold_gets_a_column_of_zeros(part: Estimator) -> None:
    x, y = problem("multiclass")
    y = np.array([0, 2, 3])[y]  # of five classes, the second and the last never occur
    predictions = part.fit(x, y, "multiclass", 5, 0).predict(x)
    assert predictions.shape == (len(x), 5)
    assert (predictions[:, [1, 4]] == 0).all()
    assert (predictions[:, [0, 2, 3]].max(axis=0) > 0.2).all()


@every_family
def test_a_fold_with_one_class_predicts_that_class(part: Estimator) -> None:
    x, y = problem("binary")
    predictions = part.fit(x, np.ones_like(y), "binary", 2, 0).predict(x)
    np.testing.assert_array_equal(predictions, np.tile([0, 1], (len(x), 1)))


@every_task
@pytest.mark.parametrize("part", [Dummy(), Linear(), Neighbors(k=1)], ids=lambda part: part.kind)
def test_a_row_of_weight_three_counts_like_three_rows(part: Estimator, task: str) -> None:
    x, y = problem(task, 60)
    count = np.where(np.arange(60) % 3 == 0, 3, 1)
    weighted = part.fit(x, y, task, TASKS[task], 0, weights=count.astype(float)).predict(x)
    repeated = part.fit(np.repeat(x, count, axis=0), np.repeat(y, count), task, TASKS[task], 0).predict(x)
    if part.kind == "neighbors" and task != "regression":  # the prior is one vote, however much a row weighs
        weighted, repeated = weighted.argmax(axis=1), repeated.argmax(axis=1)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_rows_of_weight_zero_teach_trees_nothing(kind: str) -> None:
    x, y = problem("binary", 400)
    wrong = np.arange(400) % 2 == 0
    part = {family.kind: family for family in FAMILIES}[kind]()
    predictions = part.fit(x, np.where(wrong, 1 - y, y), "binary", 2, 0, weights=np.where(wrong, 0.0, 1.0)).predict(x)
    assert (predictions.argmax(axis=1) == y).mean() > 0.85


@pytest.mark.parametrize("kind", ["linear", "forest", "boosting"])
def test_class_weights_raise_the_probability_of_the_rare_class(kind: str) -> None:
    x, y = problem("binary", 2000)
    rare = np.flatnonzero((y == 0) | (np.arange(2000) % 10 == 0))
    x, y = x[rare] + np.random.default_rng(1).normal(size=(len(rare), 4)), y[rare]  # blurred: the classes overlap
    family = {family.kind: family for family in FAMILIES}[kind]
    few = {"iterations": 10} if kind == "boosting" else {}  # many would learn the training rows by heart
    parts = (family.read({"class_weights": power} | few) for power in (0.0, 1.0))
    plain, balanced = (part.fit(x, y, "binary", 2, 0).predict(x) for part in parts)
    assert balanced[:, 1].mean() > 1.2 * plain[:, 1].mean()


@every_family
def test_fitting_and_predicting_leave_the_matrix_alone(part: Estimator) -> None:
    x, y = problem("binary")
    before = x.copy()
    part.fit(x, y, "binary", 2, 0, categorical=[3]).predict(x)
    np.testing.assert_array_equal(x, before)


@every_task
@every_family
def test_ten_rows_are_enough(part: Estimator, task: str) -> None:
    x, y = problem(task, 10)
    assert np.isfinite(part.fit(x, y, task, TASKS[task], 0).predict(x)).all()


@every_family
def test_a_family_survives_toml(part: Estimator) -> None:
    recipe = Recipe(prepare=TablePreparation(), estimator=part)
    assert Recipe.from_toml(recipe.to_toml()).estimator == part


@every_family
def test_a_family_says_which_matrix_it_wants(part: Estimator) -> None:
    assert part.wants in {"onehot", "ordinal", "tfidf"}


@every_family
def test_a_prediction_of_no_rows_has_no_rows(part: Estimator) -> None:
    x, y = problem("multiclass")
    fitted = part.fit(x, y, "multiclass", 3, 0)
    assert fitted.predict(x[:0]).shape == (0, 3)
