"""Step 1, define the problem: read the source, say what is predicted from what. Step 2, choose the measure."""

import numpy as np

from steelyard.data.costs import cost_matrix
from steelyard.data.dataset import Dataset
from steelyard.data.forecast import naive_step
from steelyard.data.source import read
from steelyard.errors import UserError
from steelyard.metrics import COST, MASE, NEEDS_COSTS, NEEDS_STEPS, Metric, metric
from steelyard.problem import LIMITS, Problem, Task
from steelyard.workflow.ask import Ask

RARE = 0.1  # below this share of its fair part a class counts as rare, and accuracy says little


def define(ask: Ask) -> tuple[Dataset, Problem]:
    """The data set and the problem it poses; every inference is in the data set's notes."""
    dataset = read(
        ask.source,
        ask.target,
        test=ask.test,
        task=ask.task,
        exclude=ask.exclude,
        weights=ask.weights,
        modality=ask.modality,
        layout=ask.layout,
    )
    assert dataset.target is not None
    task: Task = "regression" if not dataset.classes else "binary" if len(dataset.classes) == 2 else "multiclass"
    if ask.human_error is not None and task == "regression":
        raise UserError("--human-error is a rate of wrong answers, and this is a regression: leave it out")
    if ask.human_error is not None and not 0 <= ask.human_error < 1:
        raise UserError(f"--human-error is an error rate in 0..1, got {ask.human_error:g}")
    problem = Problem(
        task,
        dataset.schema.modality,
        dataset.schema.target,
        len(dataset),
        dataset.classes,
        _metric_name(ask, task, dataset.target),
        ask.constraints,
        ask.human_error,
        rarest(dataset.target) if dataset.classes else None,
        None if ask.costs is None else cost_matrix(ask.costs, dataset.classes),
        naive_step(dataset, ask.seed),
    )
    check_metric(problem.measure, task, dataset)
    for constraint in ask.constraints:
        _check_constraint(constraint.name, problem)
    return dataset, problem


def _metric_name(ask: Ask, task: Task, target: np.ndarray) -> str:
    """The metric that was asked for, else the one that costs, values or the balance of the classes call for."""
    if ask.metric:
        return metric(ask.metric).name
    if ask.costs is not None:
        return COST
    if task == "regression":
        return "rmse"
    return "accuracy" if rarest(target) >= RARE else "balanced_accuracy"


def rarest(target: np.ndarray) -> float:
    """The share of the rarest class (codes (n,)) over the share it would have if all were equal."""
    counts = np.bincount(target)
    return float(counts.min() / len(target) * len(counts))


def check_metric(measure: Metric, task: Task, dataset: Dataset) -> None:
    """Raise UserError for a metric that does not score such a problem."""
    if task not in measure.tasks:
        raise UserError(f"metric '{measure.name}' scores {' and '.join(measure.tasks)} problems; this is {task}")
    if measure.name == COST and measure.costs is None:
        raise UserError(NEEDS_COSTS)
    if measure.name == MASE and measure.step is None:
        raise UserError(NEEDS_STEPS)
    assert dataset.target is not None
    if measure.name == "rmsle" and dataset.target.min() <= -1:
        raise UserError(f"rmsle needs a target above -1, got {dataset.target.min():g}; use rmse or mae")


def _check_constraint(name: str, problem: Problem) -> None:
    if name in LIMITS:
        return
    measure = problem.measure_of(name)
    if problem.task not in measure.tasks:
        raise UserError(f"constraint on '{name}' scores {' and '.join(measure.tasks)} problems; this is {problem.task}")
    if measure.name == COST and measure.costs is None:
        raise UserError(f"constraint on '{name}': {NEEDS_COSTS}")
