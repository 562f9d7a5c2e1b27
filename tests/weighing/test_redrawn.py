"""Scores of many draws at once are those of the metric on the drawn rows, one draw after the other."""

import numpy as np
import pytest
from conftest import of_several

from steelyard.metrics import METRICS
from steelyard.weighing.redrawn import draws, redrawn


def sample(name: str, classes: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A truth, and two models with many tied predictions."""
    random = np.random.default_rng(3)
    if METRICS[name].tasks[0] in {"multilabel", "multioutput"}:
        return of_two(METRICS[name].tasks[0])
    if METRICS[name].tasks[0] == "regression":
        truth = random.gamma(2.0, size=90)
        return truth, [truth + random.normal(size=90), np.full(90, 2.0)]
    truth = random.integers(0, classes, 90)
    good = np.round(random.dirichlet(np.ones(classes), 90), 1)
    good[np.arange(90), truth] += 0.3
    return truth, [good / good.sum(axis=1, keepdims=True), np.full((90, classes), 1 / classes)]


def of_two(task: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Several targets, and two models of them."""
    random = np.random.default_rng(3)
    truth, good = of_several(task, 90, random)
    return truth, [good, np.full(truth.shape, 0.6)]


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_scores_draws_as_it_scores_the_drawn_rows(name: str, classes: int) -> None:
    truth, models = sample(name, classes)
    counts = draws(90, 20, seed=1)
    found = redrawn(METRICS[name], truth, models, counts)
    for score, each in zip(found, counts.T.astype(int), strict=True):
        rows = np.repeat(np.arange(90), each)
        assert score == pytest.approx([METRICS[name](truth[rows], model[rows]) for model in models], abs=1e-9)


@pytest.mark.parametrize("name", [name for name, m in METRICS.items() if set(m.tasks) & {"multilabel", "multioutput"}])
def test_a_metric_of_several_targets_scores_draws_as_it_scores_the_drawn_rows(name: str) -> None:
    truth, models = of_two("multilabel" if "multilabel" in METRICS[name].tasks else "multioutput")
    counts = draws(90, 20, seed=1)
    for score, each in zip(redrawn(METRICS[name], truth, models, counts), counts.T.astype(int), strict=True):
        rows = np.repeat(np.arange(90), each)
        assert score == pytest.approx([METRICS[name](truth[rows], model[rows]) for model in models], abs=1e-9)


def test_a_draw_holds_as_many_rows_as_there_are_and_leaves_a_third_out() -> None:
    counts = draws(200, 300, seed=0)
    assert (counts.sum(axis=0) == 200).all()
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 200) ** 200, abs=0.01)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "r2"])
def test_a_score_that_a_draw_does_not_define_is_not_a_number(name: str) -> None:
    regression = METRICS[name].tasks[0] == "regression"
    truth = np.array([0.0, 0.0, 1.0]) if regression else np.array([0, 0, 1])
    models = [np.array([0.1, 0.2, 0.3])] if regression else [np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])]
    found = redrawn(METRICS[name], truth, models, np.array([[2.0, 1.0], [1.0, 1.0], [0.0, 1.0]]))
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[1, 0])
