"""Step 1, define the problem: read the source, say what is predicted from what. Step 2, choose the measure."""

import numpy as np

from steelyard.data.corrections import corrected
from steelyard.data.costs import cost_matrix
from steelyard.data.dataset import Dataset
from steelyard.data.forecast import naive_step
from steelyard.data.near import kept_together
from steelyard.data.source import read
from steelyard.errors import UserError
from steelyard.metrics import COST, MASE, NEEDS_COSTS, NEEDS_STEPS, Metric, metric
from steelyard.problem import LIMITS, Problem, Task
from steelyard.workflow.ask import Ask

# What a task is scored by when nobody says: micro-F1 counts every label that is given or missed alike and does not pay
# for the many that are rightly left out; R² and D² are shares, which targets in different units can be averaged by;
# the mean distance in ranks knows that the next class is a smaller mistake than the last one.
USUAL: dict[Task, str] = {
    "regression": "rmse",
    "ordinal": "mae",
    "multilabel": "f1_micro",
    "multioutput": "r2",
    "multitask": "d2",
}
RATED = ("binary", "multiclass", "ordinal", "multilabel")  # whose answers are right or wrong
RARE = 0.1  # below this share of its fair part a class counts as rare, and accuracy says little
OF_ONE_CLASS = ("f1", "precision", "recall", "average_precision")  # where there are two, they look at the second


def define(ask: Ask) -> tuple[Dataset, Problem]:
    """The data set and the problem it poses; every inference is in the data set's notes."""
    dataset = read(
        ask.source,
        ask.target,
        test=ask.test,
        task=ask.task,
        exclude=ask.exclude,
        weights=ask.weights,
        order=ask.order,
        modality=ask.modality,
        layout=ask.layout,
        mix=ask.mix,
    )
    dataset = kept_together(dataset)
    if ask.corrections:
        dataset = corrected(dataset, ask.corrections, ask.seed)
    assert dataset.target is not None
    task = dataset.task
    if ask.human_error is not None and task not in RATED:
        kind = "a regression" if task == "regression" else task
        raise UserError(f"--human-error is a rate of wrong answers, and this is {kind}: leave it out")
    if ask.human_error is not None and not 0 <= ask.human_error < 1:
        raise UserError(f"--human-error is an error rate in 0..1, got {ask.human_error:g}")
    problem = Problem(
        task,
        dataset.schema.modality,
        dataset.schema.target,
        len(dataset),
        dataset.classes,
        _metric_name(ask, task, scored(dataset)),
        ask.constraints,
        ask.human_error,
        _balance(dataset),
        _costs(ask, dataset),
        dataset.heads,
        naive_step(dataset, ask.seed),
        dataset.sources is not None,
    )
    check_metric(problem.measure, task, dataset)
    for constraint in ask.constraints:
        _check_constraint(constraint.name, problem)
    return dataset, problem


def _metric_name(ask: Ask, task: Task, target: np.ndarray) -> str:
    """The metric that was asked for, else the one that costs, values or the balance of the classes call for.

    With a rare class that is balanced accuracy: it counts every class alike, of two or of many, whichever is the rare
    one, and it looks at labels, which is what a model is asked for. F1 and average precision look at one class of two,
    and which one is meant only a person knows.
    """
    if ask.metric:
        return metric(ask.metric).name
    if ask.costs is not None:
        return COST
    if task in USUAL:
        return USUAL[task]
    return "accuracy" if rarest(target) >= RARE else "balanced_accuracy"


def _costs(ask: Ask, dataset: Dataset) -> tuple[tuple[float, ...], ...] | None:
    if ask.costs is not None and dataset.heads:
        raise UserError("costs are for the classes of one target, and there are several: leave them out")
    return None if ask.costs is None else cost_matrix(ask.costs, dataset.classes)


def _balance(dataset: Dataset) -> float | None:
    """How rare the rarest class is; of several targets, in the one where it is rarest.

    Where sources are mixed, in the rows that are learnt from or in those that the model is for, where it is rarer.
    """
    assert dataset.target is not None
    if not dataset.heads:
        return min(rarest(dataset.target), rarest(scored(dataset))) if dataset.classes else None
    columns = [c for c, head in zip(dataset.target.T, dataset.heads, strict=True) if head.classes]
    return min((rarest(c[~np.isnan(c)].astype(int)) for c in columns), default=None)


def scored(dataset: Dataset) -> np.ndarray:
    """The targets of the rows that the model is for; codes (n,) without gaps where a class is in other sources only."""
    assert dataset.target is not None
    if dataset.sources is None:
        return dataset.target
    found = dataset.target[dataset.asked]
    return np.unique(found, return_inverse=True)[1].reshape(-1) if dataset.classes and not dataset.heads else found


def rarest(target: np.ndarray) -> float:
    """The share of the rarest class (codes (n,)) over the share it would have if all were equal."""
    counts = np.bincount(target)
    return float(counts.min() / len(target) * len(counts))


def measure_words(ask: Ask, problem: Problem, dataset: Dataset) -> str:
    """What is optimised, and why."""
    why = "as asked" if ask.metric else _why(problem, dataset)
    if problem.task == "binary" and problem.metric in OF_ONE_CLASS:
        assert dataset.target is not None
        common = "" if dataset.target[dataset.asked].mean() <= 0.5 else ", the common one"
        why += f"; of class '{problem.classes[1]}'{common}"
    limits = "; it must keep " + ", ".join(map(str, problem.constraints)) if problem.constraints else ""
    return f"optimise {problem.metric} ({why}){limits}"


def _why(problem: Problem, dataset: Dataset) -> str:
    if problem.metric == "balanced_accuracy":
        assert dataset.target is not None
        classes, counts = np.unique(dataset.target[dataset.asked], return_counts=True)
        name, share = problem.classes[int(classes[counts.argmin()])], counts.min() / counts.sum()
        of = "" if dataset.sources is None else f" of {dataset.sources.words}"
        return (
            f"'{name}' is {share:.1%} of the rows{of}, and accuracy would reward ignoring it: here classes count "
            "alike; average_precision would score a ranking, f1 the precision and recall of one class"
        )
    known = {
        "cost": "costs were given",
        "accuracy": "the classes are balanced enough",
        "f1_micro": "every label given or missed counts alike, the many rightly left out do not",
        "d2": "the share of a dumb baseline's loss that is explained, which every kind of target has",
        "r2": "the share of the variance explained, whatever the units",
        "mae": "the mean distance in ranks",
    }
    return known.get(problem.metric, "usual for values")


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
