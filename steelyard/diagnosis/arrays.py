"""Truth and predictions from anywhere as samples of one problem: for people who trained elsewhere, in any framework."""

from typing import Any

import numpy as np

from steelyard.diagnosis.levels import Sample
from steelyard.errors import UserError, suggest
from steelyard.metrics import metric as metric_named
from steelyard.problem import Problem, Task

Array = np.ndarray
NAMES = ("train", "train_dev", "dev", "test")


def problem_of(
    sets: dict[str, Any], metric: str | None = None, classes: tuple[str, ...] | None = None
) -> tuple[Problem, dict[str, Sample]]:
    """The problem that sets of (truth, predictions) or (truth, predictions, rows) pose, and each set as a sample.

    Truth (n,) holds class names, codes or values; predictions are probabilities (n, classes), the probability (n,) of
    the second class of two, class names (n,), or values (n,). `rows` (n,) name the rows, so that sets which share some
    are compared on them. Several yes-or-no labels are matrices (n, labels) of both. `classes` gives the order of the
    probability columns (default: sorted). Raises UserError.
    """
    pairs = {name: _pair(name, given) for name, given in sets.items() if given is not None}
    truths = [truth for truth, _, _ in pairs.values()]
    task = _task(pairs, classes)
    named = _classes(task, pairs, classes)
    measure = metric_named(metric or _usual(task))
    if task not in measure.tasks:
        raise UserError(f"metric '{measure.name}' scores {' and '.join(measure.tasks)} problems; this is {task}")
    problem = Problem(task, "tabular", "the target", sum(map(len, truths)), named, measure.name)
    return problem, {name: _sample(name, problem, *pair) for name, pair in pairs.items()}


def _pair(name: str, given: Any) -> tuple[Array, Array, Array | None]:
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise UserError(f"{name} is (truth, predictions) or (truth, predictions, rows), got {type(given).__name__}")
    truth, predictions = np.asarray(given[0]), np.asarray(given[1])
    rows = np.asarray(given[2]) if len(given) == 3 and given[2] is not None else None
    if len(truth) == 0:
        raise UserError(f"{name} has no rows: leave it out")
    for what, other in (("predictions", predictions), ("rows", rows)):
        if other is not None and len(other) != len(truth):
            raise UserError(f"{name}: {len(truth)} true values and {len(other)} {what}: they must go together")
    if truth.ndim > 2 or predictions.ndim > 2:
        raise UserError(f"{name}: truth has shape {truth.shape}, predictions {predictions.shape}: two axes at the most")
    for what, values in (("truth", truth), ("predictions", predictions)):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"{name}: {what} holds numbers that are not finite: leave those rows out")
    return truth, predictions, rows


def _task(pairs: dict[str, tuple[Array, Array, Array | None]], classes: tuple[str, ...] | None) -> Task:
    truth = np.concatenate([truth.ravel() for truth, _, _ in pairs.values()])
    first, predictions, _ = next(iter(pairs.values()))
    if first.ndim == 2:
        return "multilabel" if set(np.unique(truth).tolist()) <= {0, 1} else "multioutput"
    if predictions.ndim == 2:
        return "binary" if predictions.shape[1] == 2 else "multiclass"
    if truth.dtype.kind in "OUSb" or classes:
        return "binary" if len(classes or np.unique(truth.astype(str))) == 2 else "multiclass"
    whole = truth.dtype.kind in "iu" or bool((truth == np.round(truth)).all())
    if predictions.dtype.kind in "iu" and whole:
        return "binary" if len(np.unique(truth)) <= 2 else "multiclass"
    likely = whole and set(np.unique(truth).tolist()) <= {0, 1} and 0 <= predictions.min() <= predictions.max() <= 1
    return "binary" if likely else "regression"


def _usual(task: Task) -> str:
    return {"regression": "rmse", "multilabel": "f1_micro", "multioutput": "r2"}.get(task, "accuracy")


def _classes(
    task: Task, pairs: dict[str, tuple[Array, Array, Array | None]], given: tuple[str, ...] | None
) -> tuple[str, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    if given:
        return tuple(map(str, given))
    seen: set[Any] = set()
    for truth, predictions, _ in pairs.values():
        seen |= set(truth.tolist())
        if predictions.ndim == 1 and predictions.dtype.kind != "f":
            seen |= set(predictions.tolist())
    wide = max((p.shape[1] for _, p, _ in pairs.values() if p.ndim == 2), default=0)
    if wide and all(isinstance(each, int | float) for each in seen) and max(seen) < wide:
        return tuple(str(k) for k in range(wide))  # codes: the columns are numbered
    if wide and len(seen) != wide:
        raise UserError(f"{wide} columns of probabilities for {len(seen)} classes: name them with classes=")
    return tuple(map(_name, sorted(seen)))


def _name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sample(name: str, problem: Problem, truth: Array, predictions: Array, rows: Array | None) -> Sample:
    numbers = None if rows is None else np.unique(rows, return_inverse=True)[1] if rows.dtype.kind not in "iu" else rows
    if not problem.classes:
        return Sample(truth.astype(float), predictions.astype(float), None, numbers)
    codes = _codes(name, truth, problem.classes)
    if predictions.ndim == 1:
        if predictions.dtype.kind == "f" and problem.task == "binary" and not np.isin(predictions, (0, 1)).all():
            predictions = np.stack([1 - predictions, predictions], axis=1)
        else:
            predictions = np.eye(len(problem.classes))[_codes(name, predictions, problem.classes)]
    if predictions.shape[1] != len(problem.classes):
        raise UserError(f"{name}: {predictions.shape[1]} columns of probabilities for {len(problem.classes)} classes")
    return Sample(codes, predictions.astype(float), None, numbers)


def _codes(name: str, values: Array, classes: tuple[str, ...]) -> Array:
    known = {each: code for code, each in enumerate(classes)}
    words = [_name(value) for value in values.tolist()]
    if strange := next((word for word in words if word not in known), None):
        raise UserError(f"{name}: '{strange}' is none of the classes{suggest(strange, known)}")
    return np.array([known[word] for word in words])
