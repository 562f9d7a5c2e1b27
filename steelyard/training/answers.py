"""Predictions as a table with named columns: what is said of each row, and how probable that is."""

import json

import numpy as np
import pandas as pd

from steelyard import several
from steelyard.metrics import labels
from steelyard.problem import Problem


def answer_frame(problem: Problem, predictions: np.ndarray, lists: bool = False) -> pd.DataFrame:
    """A row per example: `prediction`, and `probability_<class>` of classes.

    Of several targets `prediction_<target>` each, with `probability_<label>` of labels, whose `prediction` of `lists`
    is a JSON list of those that are given, or `probability_<target>_<class>` of classes.
    """
    said = decided(problem, predictions)
    if problem.heads:
        return _of_several(problem, predictions, said, lists and problem.task == "multilabel")
    if not problem.classes:
        return pd.DataFrame({"prediction": said})
    frame = {"prediction": np.array(problem.classes, dtype=object)[said]}
    return pd.DataFrame(frame | {f"probability_{name}": predictions[:, k] for k, name in enumerate(problem.classes)})


def _of_several(problem: Problem, predictions: np.ndarray, said: np.ndarray, lists: bool) -> pd.DataFrame:
    columns: dict[str, object] = {}
    names = [head.name for head in problem.heads]
    if lists:
        columns["prediction"] = [json.dumps([names[k] for k in np.flatnonzero(row)]) for row in said]
    for head, column in zip(problem.heads, said.T, strict=True):
        coded = np.array(head.classes, dtype=object)[column.astype(int)] if head.classes else column
        columns[f"prediction_{head.name}"] = coded
    for head, part in zip(problem.heads, problem.split(predictions), strict=True):
        if problem.task == "multilabel":
            columns[f"probability_{head.name}"] = part[:, 0]
        elif head.classes:
            columns |= {f"probability_{head.name}_{name}": part[:, k] for k, name in enumerate(head.classes)}
    return pd.DataFrame(columns)


def decided(problem: Problem, predictions: np.ndarray) -> np.ndarray:
    """What is said of each example: codes (n,) or values (n,); for several targets (n, targets) codes or values.

    Of ordered classes it is the median one.
    """
    if problem.task in {"regression", "multioutput"}:
        return predictions
    if problem.task == "multilabel":
        return several.marks(predictions).astype(np.int64)
    if problem.task == "multitask":
        return np.stack([each[:, 0] if each.shape[1] == 1 else labels(each) for each in problem.split(predictions)], 1)
    return several.median(predictions) if problem.task == "ordinal" else labels(predictions)
