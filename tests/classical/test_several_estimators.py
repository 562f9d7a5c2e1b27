"""One estimator a target: what they predict, gaps, and storage without pickle."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from steelyard.classical import Boosting, Dummy, Forest, Linear, Neighbors, load, save
from steelyard.classical.several import FittedSeveral, fit
from steelyard.errors import UserError
from steelyard.parts import Estimator
from steelyard.problem import Head, Problem

EVERY = (Dummy(), Linear(), Neighbors(k=3), Boosting(iterations=5, min_samples_leaf=3), Forest(trees=3))
each_family = pytest.mark.parametrize("estimator", EVERY, ids=lambda e: e.kind)
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 4)).astype(np.float32)
LABELS = Problem(
    "multilabel", "tabular", "p, q", 80, (), "f1_micro", heads=tuple(Head(n, "binary", ("no", "yes")) for n in "pq")
)
Y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.8]).astype(float)
KINDS = Problem(
    "multitask",
    "tabular",
    "p, q",
    80,
    (),
    "d2",
    heads=(Head("p", "multiclass", ("a", "b", "c")), Head("q", "regression")),
)
BOTH = np.column_stack([RANDOM.integers(0, 3, 80), X[:, 0] * 5])


@each_family
def test_every_family_predicts_labels_and_kinds(estimator: Estimator) -> None:
    labels = fit(estimator, X, Y, LABELS, 0).predict(X)
    assert labels.shape == (80, 2)
    assert ((labels >= 0) & (labels <= 1)).all()
    kinds = fit(estimator, X, BOTH, KINDS, 0).predict(X)
    assert kinds.shape == (80, 4)
    assert kinds[:, :3].sum(axis=1) == pytest.approx(np.ones(80), abs=1e-6)


@each_family
def test_a_saved_model_predicts_the_same_bits(estimator: Estimator, tmp_path: Path) -> None:
    for number, (y, problem) in enumerate([(Y, LABELS), (BOTH, KINDS)]):
        fitted = fit(estimator, X, y, problem, 0)
        save(fitted, tmp_path / str(number))
        assert load(tmp_path / str(number)).predict(X).tobytes() == fitted.predict(X).tobytes()
        assert {file.suffix for file in (tmp_path / str(number)).iterdir()} == {".json", ".safetensors"}


def test_labels_are_binary_relevance() -> None:
    ours = fit(Linear(), X, Y, LABELS, 0).predict(X)
    theirs = [LogisticRegression(C=1.0).fit(X, column).predict_proba(X)[:, 1] for column in Y.T]
    assert ours == pytest.approx(np.stack(theirs, axis=1), abs=1e-3)


def test_a_row_without_a_target_is_not_learnt_from_for_it() -> None:
    gaps = Y.copy()
    gaps[:20, 0] = np.nan
    found = fit(Linear(), X, gaps, LABELS, 0).predict(X)
    whole = fit(Linear(), X, Y, LABELS, 0).predict(X)
    few = fit(Linear(), X[20:], Y[20:], LABELS, 0).predict(X)
    assert np.array_equal(found[:, 1], whole[:, 1])
    assert np.array_equal(found[:, 0], few[:, 0])


def test_rows_that_all_neighbours_share_are_stored_once(tmp_path: Path) -> None:
    fitted = fit(Neighbors(), X, Y, LABELS, 0)
    save(fitted, tmp_path)
    assert (tmp_path / "estimator.safetensors").stat().st_size < 2 * X.nbytes + 2 * 80 * 16


@pytest.mark.parametrize("harm", ["no members", "a member less", "a foreign form"])
def test_a_damaged_model_is_the_users_error(harm: str, tmp_path: Path) -> None:
    save(fit(Linear(), X, Y, LABELS, 0), tmp_path)
    file = tmp_path / "estimator.json"
    head = json.loads(file.read_text())
    if harm == "no members":
        head["members"] = []
    elif harm == "a member less":
        head["members"].append(head["members"][0])
    else:
        head["members"][1]["form"] = "several"
    file.write_text(json.dumps(head))
    with pytest.raises(UserError, match="is damaged"):
        load(tmp_path)


def test_ordered_classes_are_fitted_as_classes() -> None:
    problem = Problem("ordinal", "tabular", "y", 80, ("l", "m", "h"), "mae")
    fitted = fit(Linear(), X, BOTH[:, 0].astype(np.int64), problem, 0)
    assert not isinstance(fitted, FittedSeveral)
    assert fitted.predict(X).shape == (80, 3)
