"""How the page calls things: metrics, verdicts, units, the size of a gain."""

from dataclasses import dataclass

from steelyard.metrics import metric
from steelyard.problem import Problem, Score
from steelyard.records import Curve, RunRecord, Step, Verdict, Wear
from steelyard.report.numbers import count, plural, tick

METRIC_NAMES = {
    "arrmse": "average relative RMSE",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "d2": "D²",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_samples": "F1 of samples",
    "hamming_loss": "Hamming loss",
    "jaccard_samples": "Jaccard of samples",
    "log_loss": "log loss",
    "mae": "MAE",
    "mase": "MASE",
    "r2": "R²",
    "rmse": "RMSE",
    "rmsle": "RMSLE",
    "roc_auc": "ROC AUC",
}
STEP_NAMES: dict[Step, str] = {
    "define": "Define the problem",
    "measure": "Choose the measure",
    "protocol": "Choose the protocol",
    "prepare": "Prepare the data",
    "baseline": "Beat a baseline",
    "overfit": "Scale up until it overfits",
    "regularise": "Regularise and tune",
    "finish": "Finish",
}
FLOORS = {
    "last-value": "a dumb forecast that says the last value",
    "seasonal-value": "a dumb forecast that says the value one season before",
}
WORSE = 1.01  # dev loss this many times its lowest means that training went on past the best point


@dataclass(frozen=True)
class Look:
    """How a verdict looks: colour, marker in drawings, sign in text; never colour alone."""

    colour: str
    shape: str
    sign: str
    hollow: bool = False


LOOKS: dict[Verdict, Look] = {
    "helps": Look("good", "^", "▲"),
    "hurts": Look("bad", "v", "▼"),
    "no difference that matters": Look("muted", "s", "■"),
    "undecided": Look("open", "o", "○", hollow=True),
    "not applicable": Look("muted", "x", "–"),
}


def metric_name(name: str) -> str:
    """The metric as a person writes it."""
    return METRIC_NAMES.get(name, name.replace("_", " "))


def sentence(text: str) -> str:
    """The text with a capital first letter; words such as RMSE stay as they are."""
    return text[:1].upper() + text[1:]


def unit_name(unit: str) -> str:
    """The unit of the error table as a person writes it."""
    name = unit.removeprefix("1 - ")
    return f"error (1 − {metric_name(name)})" if name != unit else metric_name(unit)


def task_line(problem: Problem) -> str:
    """`Binary classification of 32,561 table rows, scored by accuracy`."""
    classes, targets = len(problem.classes), len(problem.heads)
    kind = {
        "binary": "Binary classification",
        "multiclass": f"Classification into {classes} classes",
        "ordinal": f"Classification into {classes} ordered classes",
        "multilabel": f"{targets} labels, each given or not,",
        "multioutput": f"Regression of {targets} targets",
        "multitask": f"{targets} targets of several kinds",
    }
    _, what = problem.things
    rows = f"of {count(problem.rows)} {what}" if problem.rows else f"of {what}"
    smaller = "" if metric(problem.metric).greater_is_better else " (smaller is better)"
    return f"{kind.get(problem.task, 'Regression')} {rows}, scored by {metric_name(problem.metric)}{smaller}"


def error_removed(problem: Problem, baseline: Score, final: Score) -> float | None:
    """The share of the baseline's error that the model takes away; None where that has no meaning."""
    measure = metric(problem.metric)
    before, after = (1 - s.value if measure.greater_is_better else s.value for s in (baseline, final))
    return 1 - after / before if before > 0 and after >= 0 else None


def apart(problem: Problem, baseline: Score, final: Score) -> bool:
    """Whether the whole interval of the final score is better than the baseline's value."""
    measure = metric(problem.metric)
    return measure.better(final.low if measure.greater_is_better else final.high, baseline.value)


def floor_words(record: RunRecord) -> str:
    """What the dumb baseline is: of forecasts, the best of those that need no model."""
    scored = {arm.family: arm.score for arm in record.families if arm.family in FLOORS and arm.score}
    best = next((name for name, score in scored.items() if score == record.baseline), None)
    return FLOORS[best] if best else "a dumb baseline that always gives the same answer"


def wear_line(looks: int, wear: Wear | None) -> str:
    """How often dev was looked at, and what the score of the final model there is expected to owe to that."""
    line = f"looked at {plural(looks, 'time')}"
    if wear is None or wear.candidates == 1:
        return line
    line += f"; {plural(wear.candidates, 'model')} competed there at full size"
    if wear.optimism is None:
        return f"{line}, the optimism of the choice is {wear.method}"
    if not wear.optimism:
        return f"{line}, and the final one owes nothing measurable to that choice"
    return f"{line}, which is expected to make the final one look {tick(float(f'{wear.optimism:.2g}'))} too good"


def turning_point(curve: Curve) -> int | None:
    """The epoch of the lowest dev loss, if dev loss rose from there while train loss went on falling."""
    looks = [point for point in curve.points if point[2] is not None]
    if len(looks) < 3:
        return None
    lowest, last = min(looks, key=lambda point: point[2] or 0.0), looks[-1]
    rose = (last[2] or 0.0) > WORSE * (lowest[2] or 0.0)
    return lowest[0] if rose and last[1] < lowest[1] else None
