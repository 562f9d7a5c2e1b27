"""Suspicious labels inside train: which ones are treated, and how."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.problem import Head, Problem
from steelyard.training.label_noise import chance_right, confident_counts
from steelyard.training.suspects import SuspectLabels, cross_fitted, most_suspicious

PROBLEM = Problem("multiclass", "tabular", "y", 300, ("a", "b", "c"), "accuracy")
PREPARE = TablePreparation()


def planted(flips: int = 30) -> tuple[Dataset, np.ndarray]:
    """300 rows of three classes that lie apart, of which the first labels are wrong."""
    random = np.random.default_rng(0)
    true = np.arange(300) % 3
    frame = pd.DataFrame(random.normal(size=(300, 2)) + 5 * np.column_stack([true == 1, true == 2]), columns=["u", "v"])
    given = true.copy()
    given[:flips] = (given[:flips] + 1) % 3
    columns = (Column("u", "number"), Column("v", "number"))
    return Dataset("p", Schema("tabular", "y", columns), given, PROBLEM.classes, frame=frame), np.arange(300) < flips


def test_pruning_leaves_out_the_rows_with_wrong_labels() -> None:
    dataset, wrong = planted()
    left = SuspectLabels("prune", 0.1).treated(dataset, PROBLEM, PREPARE, 0).dataset
    assert len(left) == 270 and left.frame is not None
    assert wrong[left.frame.index].sum() <= 2


def test_weighing_down_keeps_all_rows_and_the_mean_weight_one() -> None:
    dataset, wrong = planted()
    treated = SuspectLabels("weigh", 0.1, 0.75).treated(dataset, PROBLEM, PREPARE, 0)
    assert treated.weights is not None and treated.dataset is dataset
    assert treated.weights.mean() == pytest.approx(1)
    assert treated.weights[wrong].mean() < 0.4 * treated.weights[~wrong].mean()


def test_relabelling_moves_suspicious_targets_towards_the_class_that_is_predicted() -> None:
    dataset, wrong = planted()
    soft = SuspectLabels("relabel", 0.1, 1.0).treated(dataset, PROBLEM, PREPARE, 0).soft
    assert soft is not None
    moved = ~np.isnan(soft[:, 0])
    assert moved.sum() == 30 and soft[moved].sum(axis=1) == pytest.approx(1)
    assert (soft[moved & wrong].argmax(axis=1) == (np.arange(300) % 3)[moved & wrong]).mean() > 0.9


def test_of_several_targets_only_the_suspicious_one_is_left_out() -> None:
    dataset, wrong = planted()
    assert dataset.target is not None and dataset.frame is not None
    heads = (Head("y", "multiclass", PROBLEM.classes), Head("u", "regression"))
    values = dataset.frame["u"].to_numpy() * 2
    values[-1] += 50
    both = replace(dataset, target=np.column_stack([dataset.target, values]), classes=(), heads=heads, asks="multitask")
    problem = replace(PROBLEM, task="multitask", classes=(), heads=heads, metric="d2")
    left = SuspectLabels("prune", 0.1).treated(both, problem, PREPARE, 0).dataset.target
    assert left is not None and len(left) == 300
    assert np.isnan(left[wrong, 0]).mean() > 0.9 and np.isnan(left[-1, 1]) and np.isnan(left[:, 1]).sum() == 30


def test_no_class_loses_more_than_half_of_its_rows() -> None:
    classes = np.repeat([0, 1], [95, 5])
    yes = np.where(classes == 1, 0.01, np.linspace(0.1, 0.4, 100))  # no row of the rare class is taken for one
    chosen = most_suspicious(classes, np.column_stack([1 - yes, yes]), 0.2)
    assert chosen[classes == 1].sum() == 3 and chosen.sum() == 20


def test_every_row_is_predicted_by_models_that_did_not_see_it() -> None:
    random = np.random.default_rng(0)
    dataset, _ = planted(0)
    assert dataset.frame is not None and dataset.target is not None
    shuffled = random.permutation(dataset.target)  # nothing can be learnt: whoever is right has peeked
    predicted = cross_fitted(replace(dataset, target=shuffled), PROBLEM, PREPARE, 0)
    assert abs((predicted.argmax(axis=1) == shuffled).mean() - 1 / 3) < 0.08


def test_the_same_seed_treats_the_same_rows() -> None:
    dataset, _ = planted()
    part = SuspectLabels("weigh", 0.1)
    one, two = (part.treated(dataset, PROBLEM, PREPARE, 5).weights for _ in range(2))
    assert one is not None and two is not None and np.array_equal(one, two)


def test_confident_counts_are_those_of_cleanlab() -> None:
    from cleanlab.count import compute_confident_joint

    random = np.random.default_rng(0)
    given = random.integers(0, 4, 400)
    predicted = random.dirichlet(np.ones(4), 400) * 0.6 + 0.4 * np.eye(4)[given]
    assert np.array_equal(
        confident_counts(given, predicted), compute_confident_joint(given, predicted, calibrate=False)
    )


def test_where_wrong_labels_are_spread_evenly_the_order_is_that_of_the_given_labels_probability() -> None:
    random = np.random.default_rng(0)
    true = random.integers(0, 3, 900)
    given = np.where(random.random(900) < 0.1, (true + random.integers(1, 3, 900)) % 3, true)
    predicted = 0.9 * np.eye(3)[true] + 0.1 * random.dirichlet(np.ones(3), 900)
    assert np.allclose(chance_right(given, predicted), predicted[np.arange(900), given])


def test_where_one_class_is_given_for_another_its_rows_are_doubted_first() -> None:
    random = np.random.default_rng(0)
    true = np.arange(900) % 3
    given = np.where((true == 1) & (random.random(900) < 0.4), 0, true)  # a third class is never mistaken
    predicted = 0.5 * np.eye(3)[true] + 0.5 * random.dirichlet(np.ones(3), 900)
    doubt = np.array([[0.35, 0.65, 0.0], [0.0, 0.65, 0.35]])  # as likely of the given class, 0 and then 2
    both = chance_right(np.append(given, [0, 2]), np.vstack([predicted, doubt]))
    assert both[-2] < both[-1]
