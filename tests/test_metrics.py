"""Scores with weights and costs, against repeated rows and sums done by hand."""

import pickle

import numpy as np
import pytest
from conftest import of_several

from steelyard.errors import UserError
from steelyard.metrics import METRICS, Metric, cost, metric

COSTS = ((0.0, 1.0, 2.0), (5.0, -1.0, 1.0), (3.0, 3.0, 0.5))


def examples(measure: Metric, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    if measure.tasks[0] in {"multilabel", "multioutput"}:
        return of_several(measure.tasks[0], rows, random)
    if measure.tasks[0] == "regression":
        truth = random.exponential(size=rows)
        return truth, truth + random.normal(size=rows)
    truth = random.integers(0, 3, rows)
    return truth, random.dirichlet(np.ones(3), rows) + 0.3 * np.eye(3)[truth]


@pytest.mark.parametrize("measure", [*METRICS.values(), cost(COSTS)], ids=lambda m: m.name)
def test_a_whole_weight_counts_as_that_many_copies_of_the_row_and_zero_as_none(measure: Metric) -> None:
    truth, predictions = examples(measure)
    weights = np.random.default_rng(1).integers(0, 4, len(truth)).astype(float)
    copies = np.repeat(np.arange(len(truth)), weights.astype(int))
    assert measure(truth, predictions, weights) == pytest.approx(measure(truth[copies], predictions[copies]))
    assert measure(truth, predictions, weights / 7) == pytest.approx(measure(truth, predictions, weights))


@pytest.mark.parametrize("measure", [*METRICS.values(), cost(COSTS)], ids=lambda m: m.name)
def test_equal_weights_change_no_score(measure: Metric) -> None:
    truth, predictions = examples(measure)
    assert measure(truth, predictions, np.ones(len(truth))) == pytest.approx(measure(truth, predictions), rel=1e-12)


def test_two_classes_are_weighted_as_well() -> None:
    truth, predictions = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    weights = np.array([1.0, 3.0, 1.0, 1.0])
    assert metric("recall")(truth, predictions, weights) == 0.75
    assert metric("precision")(truth, predictions, weights) == 0.75
    assert metric("roc_auc")(truth, predictions, weights) == pytest.approx((3 * 1 + 1 * 1) / (4 * 2))


def test_without_any_weight_there_is_no_score() -> None:
    assert np.isnan(metric("accuracy")(np.array([0, 1]), np.eye(2), np.zeros(2)))


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "mae"])
def test_what_each_example_gives_has_the_score_as_its_mean_and_the_standard_error_of_a_ratio(name: str) -> None:
    measure = metric(name)
    truth, predictions = examples(measure)
    weights = np.random.default_rng(1).exponential(size=len(truth))
    each = measure.by_example(truth, predictions, weights)
    score, losses = measure(truth, predictions, weights), measure.by_example(truth, predictions)
    assert each.mean() == pytest.approx(score)
    error = np.sqrt((weights**2 * (losses - score) ** 2).sum()) / weights.sum()
    assert each.std() / np.sqrt(len(truth)) == pytest.approx(error)


def test_the_cost_is_the_mean_of_what_the_predicted_labels_cost() -> None:
    truth, predicted = np.array([0, 1, 1, 2]), np.array([2, 0, 1, 2])
    measure = cost(COSTS)
    assert measure(truth, np.eye(3)[predicted]) == (2 + 5 - 1 + 0.5) / 4
    assert measure.by_example(truth, np.eye(3)[predicted]).tolist() == [2, 5, -1, 0.5]
    assert measure.better(1.0, 2.0)


def test_a_cost_without_its_matrix_knows_its_sign_and_cannot_score() -> None:
    assert metric("cost").sign == -1
    with pytest.raises(UserError, match="give --costs FILE"):
        metric("cost")(np.array([0]), np.eye(2)[:1])


@pytest.mark.parametrize("measure", [METRICS["f1"], cost(COSTS), metric("cost")], ids=["f1", "cost", "unpriced"])
def test_a_metric_crosses_to_another_process_as_itself(measure: Metric) -> None:
    assert pickle.loads(pickle.dumps(measure)) is measure


def test_metrics_with_other_costs_have_other_keys() -> None:
    keys = {cost(COSTS).key, cost(COSTS[::-1]).key, metric("cost").key, metric("f1").key}
    assert len(keys) == 4
