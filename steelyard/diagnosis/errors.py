"""The error table: human level, train, dev, test; their differences say what holds the model back.

Source: Ng, "Machine Learning Yearning", chapters 20-24 and 40-43 (avoidable bias, variance).
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from steelyard.metrics import Metric, metric
from steelyard.problem import Problem, Score
from steelyard.records import ErrorTable
from steelyard.weighing.interval import score_of

# truth, predictions and, where the examples do not count alike, weights
Scored = tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray | None]


def error_metric(problem: Problem) -> tuple[str, Metric]:
    """The unit of the error table: an error rate for classes (1 - accuracy, or 1 - the metric), RMSE for values."""
    measure = problem.measure
    if problem.task == "regression":
        return ("rmse", metric("rmse")) if measure.greater_is_better else (measure.name, measure)
    if not measure.greater_is_better:
        return measure.name, measure
    return f"1 - {measure.name}", measure


def error_table(
    problem: Problem,
    train: Scored,
    dev: Scored,
    test: Score | None = None,
) -> ErrorTable:
    """The error table from what was predicted on train and on dev; `test` is a score in the problem's metric."""
    unit, measure = error_metric(problem)
    train_error, dev_error = (as_error(measure, score_of(measure, *each)) for each in (train, dev))
    human = problem.human_error if problem.metric == "accuracy" else None  # it is a rate of wrong answers
    bias = train_error.value - (human or 0.0)
    variance = dev_error.value - train_error.value
    dominant = _dominant(bias, variance, dev_error)
    return ErrorTable(
        unit,
        human,
        train_error,
        dev_error,
        as_error(measure, test) if test else None,
        bias,
        variance,
        dominant,
        _caveat(problem),
    )


def with_test(table: ErrorTable, problem: Problem, test: Score) -> ErrorTable:
    """The table with the error on the opened test, where both are in the same unit."""
    return replace(table, test=as_error(problem.measure, test)) if _same_unit(problem) else table


def with_dev(table: ErrorTable, problem: Problem, dev: Score) -> ErrorTable:
    """The table with the dev error of the final model, which may be several models together."""
    if not _same_unit(problem):
        return table
    error = as_error(problem.measure, dev)
    variance = error.value - table.train.value
    return replace(table, dev=error, variance=variance, dominant=_dominant(table.bias, variance, error))


def _same_unit(problem: Problem) -> bool:
    """Whether the problem's metric is what the table counts errors in: R² is told as RMSE."""
    return error_metric(problem)[1].name == problem.metric


def _dominant(bias: float, variance: float, dev: Score) -> Literal["bias", "variance", "neither"]:
    noise = (dev.high - dev.low) / 4  # about one standard error: smaller differences say nothing
    if max(bias, variance) < noise:
        return "neither"
    return "bias" if bias >= variance else "variance"


def as_error(measure: Metric, score: Score) -> Score:
    """A score as an error: smaller is better."""
    if not measure.greater_is_better:
        return score
    return Score(1 - score.value, 1 - score.high, 1 - score.low, score.examples)


def _caveat(problem: Problem) -> str:
    if problem.human_error is not None and problem.metric != "accuracy":
        return (
            f"the human error is a rate of wrong answers and cannot be set against {problem.metric}: bias is from zero"
        )
    if problem.human_error is not None:
        return "once a model passes the human level, avoidable bias can no longer be judged"
    return "no human-level error was given (--human-error), so bias is counted from zero: part of it may be unavoidable"
