"""Scores of several targets and of ordered classes, against scikit-learn's."""

import pickle

import numpy as np
import pytest
from conftest import of_several
from sklearn import metrics as sk

from steelyard import several
from steelyard.errors import UserError
from steelyard.metrics import METRICS, d2, metric
from steelyard.problem import Head, Problem
from steelyard.training.answers import decided

RANDOM = np.random.default_rng(5)
WEIGHTS = RANDOM.uniform(0.2, 3, 80)
TRUTH = RANDOM.integers(0, 2, (80, 4)).astype(float)
SAID = np.clip(0.35 * TRUTH + RANDOM.uniform(0, 0.65, TRUTH.shape), 0.01, 0.99)
GIVEN = SAID > 0.5
VALUES = RANDOM.normal(size=(80, 3)) * [1, 10, 100]
GUESSES = VALUES + RANDOM.normal(size=VALUES.shape) * [0.5, 3, 90]

LABELS = {
    "accuracy": lambda w: sk.accuracy_score(TRUTH, GIVEN, sample_weight=w),
    "f1_micro": lambda w: sk.f1_score(TRUTH, GIVEN, average="micro", sample_weight=w),
    "f1_macro": lambda w: sk.f1_score(TRUTH, GIVEN, average="macro", sample_weight=w),
    "f1_samples": lambda w: sk.f1_score(TRUTH, GIVEN, average="samples", sample_weight=w, zero_division=1.0),
    "jaccard_samples": lambda w: sk.jaccard_score(TRUTH, GIVEN, average="samples", sample_weight=w, zero_division=1.0),
    "hamming_loss": lambda w: sk.hamming_loss(TRUTH, GIVEN, sample_weight=w),
    "roc_auc": lambda w: sk.roc_auc_score(TRUTH, SAID, average="macro", sample_weight=w),
    "average_precision": lambda w: sk.average_precision_score(TRUTH, SAID, average="macro", sample_weight=w),
    "log_loss": lambda w: np.mean([sk.log_loss(t, s, sample_weight=w) for t, s in zip(TRUTH.T, SAID.T, strict=True)]),
}
OF_VALUES = {
    "r2": lambda w: sk.r2_score(VALUES, GUESSES, sample_weight=w),
    "mae": lambda w: sk.mean_absolute_error(VALUES, GUESSES, sample_weight=w),
    "rmse": lambda w: sk.root_mean_squared_error(VALUES, GUESSES, sample_weight=w),
    "arrmse": lambda w: np.mean(np.sqrt(1 - sk.r2_score(VALUES, GUESSES, sample_weight=w, multioutput="raw_values"))),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", LABELS)
def test_labels_are_scored_as_scikit_learn_does(name: str, weights: np.ndarray | None) -> None:
    assert metric(name)(TRUTH, SAID, weights) == pytest.approx(LABELS[name](weights))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", OF_VALUES)
def test_several_values_are_scored_as_scikit_learn_does(name: str, weights: np.ndarray | None) -> None:
    assert metric(name)(VALUES, GUESSES, weights) == pytest.approx(OF_VALUES[name](weights))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_ordered_classes_are_scored_by_the_median_class(weights: np.ndarray | None) -> None:
    truth, said = RANDOM.integers(0, 5, 80), RANDOM.dirichlet(np.ones(5), 80)
    middle = several.median(said)
    kappa = sk.cohen_kappa_score(truth, middle, weights="quadratic", sample_weight=weights)
    assert metric("quadratic_kappa")(truth, said, weights) == pytest.approx(kappa)
    assert metric("mae")(truth, said, weights) == pytest.approx(
        sk.mean_absolute_error(truth, middle, sample_weight=weights)
    )


def test_the_median_class_has_the_smallest_expected_distance() -> None:
    said = RANDOM.dirichlet(np.ones(6), 200)
    distance = np.abs(np.arange(6)[:, None] - np.arange(6))
    best = (said @ distance).min(axis=1)
    assert (said @ distance)[np.arange(200), several.median(said)] == pytest.approx(best)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_kinds_of_targets_are_averaged_by_the_share_of_the_dumb_loss_they_explain(weights: np.ndarray | None) -> None:
    codes, said = RANDOM.integers(0, 3, 80), RANDOM.dirichlet(np.ones(3), 80)
    truth = np.column_stack([codes, VALUES[:, 0]])
    found = d2((3, 1))(truth, np.column_stack([said, GUESSES[:, 0]]), weights)
    classes = sk.d2_log_loss_score(codes, said, sample_weight=weights)
    assert found == pytest.approx((classes + sk.r2_score(VALUES[:, 0], GUESSES[:, 0], sample_weight=weights)) / 2)


@pytest.mark.parametrize("name", [*LABELS, *OF_VALUES])
def test_what_is_missing_does_not_count(name: str) -> None:
    task = "multilabel" if name in LABELS else "multioutput"
    truth, said = of_several(task, 60, np.random.default_rng(1), targets=3)
    other = said.copy()
    other[np.isnan(truth)] = 0.9
    assert metric(name)(truth, said) == metric(name)(truth, other)
    whole = ~np.isnan(truth).any(axis=1)
    assert np.isfinite(metric(name)(truth, said))
    assert metric(name)(truth[whole], said[whole]) == pytest.approx(metric(name)(truth, said), abs=0.15, rel=0.2)


def test_a_row_without_labels_that_is_given_none_is_right() -> None:
    none = np.zeros((1, 3))
    assert metric("f1_samples")(none, none) == metric("jaccard_samples")(none, none) == metric("accuracy")(none, none)
    assert metric("f1_samples")(none, none) == 1
    assert metric("f1_samples")(none, np.array([[0.9, 0, 0]])) == 0


def test_a_label_that_all_or_no_rows_have_is_left_out_of_ranks() -> None:
    truth = np.column_stack([TRUTH[:, 0], np.zeros(80), np.ones(80)])
    said = np.column_stack([SAID[:, 0], SAID[:, 1], SAID[:, 2]])
    assert metric("roc_auc")(truth, said) == pytest.approx(sk.roc_auc_score(TRUTH[:, 0], SAID[:, 0]))
    assert np.isnan(metric("average_precision")(truth[:, 1:], said[:, 1:]))


def test_what_is_said_of_each_kind_of_target() -> None:
    labels = Problem(
        "multilabel", "tabular", "a, b", 2, (), "f1_micro", heads=(Head("a", "binary"), Head("b", "binary"))
    )
    assert decided(labels, np.array([[0.2, 0.7], [0.5, 0.51]])).tolist() == [[0, 1], [0, 1]]
    heads = (Head("a", "multiclass", ("x", "y", "z")), Head("b", "regression"))
    both = Problem("multitask", "tabular", "a, b", 1, (), "d2", heads=heads)
    assert both.outputs == 4
    assert decided(both, np.array([[0.1, 0.7, 0.2, 3.5]])).tolist() == [[1, 3.5]]
    ranks = Problem("ordinal", "tabular", "a", 1, ("l", "m", "h"), "mae")
    assert decided(ranks, np.array([[0.4, 0.2, 0.4]])).tolist() == [1]


def test_the_metric_of_several_kinds_needs_its_targets() -> None:
    assert pickle.loads(pickle.dumps(d2((2, 1)))) is d2((2, 1))
    assert d2((2, 1)).key != d2((3, 1)).key
    with pytest.raises(UserError, match="needs to know the targets"):
        metric("d2")(TRUTH, SAID)


def test_a_problem_survives_its_plain_form() -> None:
    heads = (Head("a", "multiclass", ("x", "y", "z")), Head("b", "regression"))
    problem = Problem("multitask", "tabular", "a, b", 1, (), "d2", heads=heads)
    assert Problem.from_dict(problem.to_dict()) == problem
    old = {k: v for k, v in problem.to_dict().items() if k != "heads"}
    assert Problem.from_dict(old).heads == ()


def test_every_task_has_a_metric() -> None:
    known = {task for each in METRICS.values() for task in each.tasks} | {"multitask"}
    assert {"binary", "multiclass", "regression", "ordinal", "multilabel", "multioutput", "multitask"} == known
