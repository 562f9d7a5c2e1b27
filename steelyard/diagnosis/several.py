"""Several targets, one by one: the scores of each, how far a row is off in all of them, its targets in words."""

from typing import Any

import numpy as np

from steelyard.metrics import metric
from steelyard.problem import Head, Problem, Score
from steelyard.records import TargetRow
from steelyard.weighing.interval import score_of

SAMPLE = 400  # residuals of one target
MEASURES = {"regression": ("r2", "rmse"), "binary": ("f1", "average_precision"), "multiclass": ("accuracy", "f1_macro")}
SHOWN = 8  # targets of a row in words


def target_rows(
    problem: Problem, truth: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None
) -> tuple[TargetRow, ...]:
    """How each of several targets (n, targets) is predicted, on the rows that have it; empty for a single target."""
    found = []
    for head, column, part in zip(problem.heads, truth.T, problem.split(predictions), strict=False):
        here = ~np.isnan(column)
        mine = None if weights is None else weights[here]
        if here.any():
            found.append(_row(head, column[here], part[here].astype(float), mine))
    return tuple(found)


def _row(head: Head, truth: np.ndarray, part: np.ndarray, weights: np.ndarray | None) -> TargetRow:
    if not head.classes:
        values = part[:, 0]
        scores = _scores(head, truth, values, weights)
        return TargetRow(head.name, head.task, scores, 0.0, residuals=pairs(truth, values, SAMPLE))
    codes = truth.astype(np.int64)
    probabilities = np.hstack([1 - part, part]) if part.shape[1] == 1 else part
    scores = _scores(head, codes, probabilities, weights)
    shares = np.bincount(codes, minlength=head.width) / len(codes)
    dumb = metric(MEASURES[head.task][0])(codes, np.tile(shares, (len(codes), 1)), weights)
    return TargetRow(head.name, head.task, scores, dumb, float(shares[1]) if head.task == "binary" else None)


def _scores(
    head: Head, truth: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None
) -> tuple[tuple[str, Score], ...]:
    """The scores of a target; none where all rows that have it are alike."""
    if len(np.unique(truth)) < 2:
        return ()
    return tuple((name, score_of(metric(name), truth, predictions, weights, fast=True)) for name in MEASURES[head.task])


def pairs(truth: np.ndarray, predictions: np.ndarray, sample: int) -> tuple[tuple[float, float], ...]:
    """(truth, prediction) of an evenly spaced sample of examples (n,)."""
    chosen = np.linspace(0, len(truth) - 1, min(sample, len(truth))).astype(int)
    return tuple((float(truth[i]), float(predictions[i])) for i in chosen)


def errors_of_several(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each row is off (n,), the mean over its targets; and which rows (n,) bool are not all right.

    Of classes and labels it is 1 - the probability of the truth, of values their distance in spreads of the truth.
    """
    each, wrong = np.full(truth.shape, np.nan), np.zeros(len(truth), bool)
    for k, (head, part) in enumerate(zip(problem.heads, problem.split(predictions), strict=True)):
        here = ~np.isnan(truth[:, k])
        column = truth[here, k]
        if not head.classes:
            each[here, k] = np.abs(column - part[here, 0]) / (column.std() or 1.0)
            wrong |= here
            continue
        both = np.hstack([1 - part, part]) if part.shape[1] == 1 else part
        codes = column.astype(int)
        each[here, k] = 1 - both[here][np.arange(len(codes)), codes]
        wrong[here] |= both[here].argmax(axis=1) != codes
    return np.nanmean(each, axis=1), wrong


def words_of(problem: Problem, values: Any) -> str:
    """The target or targets of one row in words: a class, a value, the labels that are yes, or each with its name."""
    if not problem.heads:
        return problem.classes[int(values)] if problem.classes else f"{float(values):.6g}"
    if problem.task == "multilabel":
        given = [head.name for head, value in zip(problem.heads, values, strict=True) if value == 1]
        return ", ".join(given[:SHOWN]) + (", …" if len(given) > SHOWN else "") or "none"
    told = [
        f"{head.name} = {head.classes[int(value)] if head.classes else f'{value:.5g}'}"
        for head, value in zip(problem.heads, values, strict=True)
        if not np.isnan(value)
    ]
    return ", ".join(told[:SHOWN]) + (", …" if len(told) > SHOWN else "")
