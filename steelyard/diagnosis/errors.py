"""The error table: human level, train, train-dev, dev, test; their differences say what holds the model back.

Source: Ng, "Machine Learning Yearning", chapters 20-24 and 40-43 (avoidable bias, variance, data mismatch).
"""

import numpy as np

from steelyard.diagnosis.gaps import Step, dominant, gaps
from steelyard.diagnosis.levels import Measured, Sample, correlation, measured
from steelyard.metrics import Metric, metric
from steelyard.problem import Problem, Score
from steelyard.records import ErrorTable, Level, LevelName

ORDER: tuple[LevelName, ...] = ("human level", "Bayes proxy", "train", "train-dev", "dev", "test")
RATE = "1 - accuracy"


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
    train: Sample,
    dev: Sample,
    train_dev: Sample | None = None,
    test: Sample | Score | None = None,
    human: Score | None = None,
    proxy: Score | None = None,
) -> ErrorTable:
    """The error table from what was predicted on each set.

    `test` may be an error that was measured before, in the table's unit; so are `human`, the error of humans (default:
    the one the problem knows), and `proxy`, what stands in for it where nobody knows it.
    """
    unit, measure = error_metric(problem)
    given = {"train": train, "train-dev": train_dev, "dev": dev, "test": test}
    found: dict[LevelName, Measured] = {
        name: measured(measure, sample)  # type: ignore[misc]
        for name, sample in given.items()
        if isinstance(sample, Sample) and len(sample.truth)
    }
    levels = {name: each.error for name, each in found.items()}
    if isinstance(test, Score):
        levels["test"] = test
    if human is None and problem.human_error is not None and unit == RATE:
        human = Score(problem.human_error, problem.human_error, problem.human_error, 0)
    if human is not None:
        levels["human level"] = human
    if proxy is not None:
        levels["Bayes proxy"] = proxy
    levels = {name: levels[name] for name in ORDER if name in levels}
    return table_from(unit, levels, found, _caveat(problem, levels, unit))


def table_from(
    unit: str, levels: dict[LevelName, Score], known: dict[LevelName, Measured] | None = None, caveat: str = ""
) -> ErrorTable:
    """The error table from errors that are measured; `known` of them bring what their rows give, to be paired."""
    known = known or {}
    names = list(levels)
    together = np.eye(len(names))
    for i, one in enumerate(names):
        for k, other in enumerate(names):
            if i != k and one in known and other in known:
                together[i, k] = correlation(known[one], known[other])
    made = gaps(levels, _steps(levels), together)
    term, probability = dominant(made)
    rows = tuple(Level(name, error) for name, error in levels.items())
    return ErrorTable(unit, rows, made, term or "cannot tell yet", probability, caveat)


def _steps(levels: dict[LevelName, Score]) -> list[Step]:
    """Which differences can be told; bias is counted from the human level, if there is one."""
    reference = next((name for name in ORDER[:2] if name in levels), None)
    steps: list[Step] = [("bias", reference, "train")]
    if "train-dev" in levels:
        steps += [("variance", "train", "train-dev"), ("mismatch", "train-dev", "dev")]
    else:
        steps.append(("variance", "train", "dev"))
    if "test" in levels:
        steps.append(("overfitting to dev", "dev", "test"))
    return steps


def _caveat(problem: Problem, levels: dict[LevelName, Score], unit: str) -> str:
    if "human level" in levels:
        if levels["train"].high < levels["human level"].value:
            return "the model passes the human level on train: how much bias can still be avoided cannot be judged"
        return "once a model passes the human level, avoidable bias can no longer be judged"
    if problem.human_error is not None and unit != RATE:
        start = "is from zero" if "Bayes proxy" not in levels else "is from the Bayes proxy"
        return f"the human error is a rate of wrong answers and cannot be set against {problem.metric}: bias {start}"
    if "Bayes proxy" in levels:
        return "no human level is known: bias is counted from a proxy of the smallest possible error, an estimate"
    return "no human-level error was given (--human-error), so bias is counted from zero: part of it may be unavoidable"
