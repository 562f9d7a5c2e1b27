"""Predictions that collapse to one value: one class for all rows, or values that hardly vary."""

from typing import Any

import numpy as np

from steelyard.doctor.check import Saw
from steelyard.problem import Problem
from steelyard.training.answers import decided

Array = np.ndarray
FEW_ROWS = 20  # below it nothing can be said
ONE_CLASS = 0.995  # of the rows are given one class
COMMON = 0.95  # of the rows have one class: to give it to all of them is what the data are like
NARROW = 0.1  # spread of predicted values over that of true ones; with less, R² is below about 0.01
ALIKE = 0.01  # spread of probabilities over rows


def collapse(problem: Problem, truth: Array, said: Array) -> Saw | None:
    """The first target whose predictions collapse: `truth` (n,) or (n, targets), `said` as a model puts it out."""
    real = np.asarray(truth, float).reshape(len(truth), -1)
    told = np.asarray(decided(problem, said), float).reshape(len(truth), -1)
    names = [head.name for head in problem.heads] or [problem.target]
    for place, name in enumerate(names):
        there = ~np.isnan(real[:, place])
        if there.sum() < FEW_ROWS or np.ptp(real[there, place]) == 0:
            continue
        given = (name, real[there, place], told[there, place])
        saw = _one_class(problem, said, *given) if _coded(problem, place) else _one_value(*given)
        if saw is not None:
            return saw
    return None


def _coded(problem: Problem, place: int) -> bool:
    """Whether a target is a class or a label."""
    return problem.task == "multilabel" or bool(problem.heads[place].classes if problem.heads else problem.classes)


def _one_class(problem: Problem, said: Array, name: str, real: Array, told: Array) -> Saw | None:
    codes, counts = np.unique(told, return_counts=True)
    share, common = float(counts.max() / len(told)), float(np.unique(real, return_counts=True)[1].max() / len(real))
    if share < ONE_CLASS or common >= COMMON:
        return None
    word: Any = int(codes[counts.argmax()])
    word = problem.classes[word] if problem.classes and not problem.heads else word
    text = f"'{name}' is said to be '{word}' of {share:.1%} of {len(told)} dev rows; no class has over {common:.0%}"
    evidence: dict[str, Any] = {"share": share, "largest true share": common}
    if problem.heads:
        return Saw(text, evidence)
    spread = float(said.std(axis=0).max())
    how = "hardly vary" if spread < ALIKE else "do vary, so the ranking may still be good"
    text += f"; probabilities {how} ({spread:.2g})"
    return Saw(text, evidence | {"spread": spread}, "error" if spread < ALIKE else "warning")


def _one_value(name: str, real: Array, told: Array) -> Saw | None:
    ratio = float(told.std() / real.std())
    if ratio >= NARROW:
        return None
    text = f"values of '{name}' predicted for {len(told)} dev rows vary {ratio:.1%} as much as the true ones"
    return Saw(text, {"ratio": ratio})
