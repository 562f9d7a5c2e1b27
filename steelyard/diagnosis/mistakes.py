"""Where a model errs: confusion, residuals, the worst mistakes."""

import base64
import io

import numpy as np
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.data.ordered import both
from steelyard.diagnosis.sketch import sketch
from steelyard.metrics import labels
from steelyard.problem import Problem
from steelyard.records import Mistake

SHOWN = 24
SAMPLE = 1500
COLUMNS = 8
MOMENTS = 300  # of a forecast that are drawn


def confusion(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """How often each class (row) was predicted as each class (column); empty in regression."""
    if problem.task == "regression":
        return ()
    counts = np.zeros((problem.outputs, problem.outputs), dtype=int)
    np.add.at(counts, (truth, labels(predictions)), 1)
    return tuple(tuple(int(c) for c in row) for row in counts)


def residuals(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(truth, prediction) of an evenly spaced sample of examples; empty in classification."""
    if problem.task != "regression":
        return ()
    chosen = np.linspace(0, len(truth) - 1, min(SAMPLE, len(truth))).astype(int)
    return tuple((float(truth[i]), float(predictions[i])) for i in chosen)


def course(pool: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[tuple[str, float, float], ...]:
    """(known until, truth, predicted) of the last forecasts on dev, in the order of time; empty where there are none.

    Of several series it is the one with most of them.
    """
    if not pool.schema.layout.forecasts or pool.order is None or pool.target is None:
        return ()
    names = np.array([pool.origin[row].rpartition(", ")[0] for row in rows], dtype=object)
    kinds, counts = np.unique(names, return_counts=True)
    mine = np.flatnonzero(names == kinds[int(counts.argmax())])
    mine = mine[np.argsort(both(pool.order)[rows[mine], 0], kind="stable")][-MOMENTS:]
    return tuple((pool.origin[rows[i]], float(pool.target[rows[i]]), float(predictions[i])) for i in mine)


def worst(problem: Problem, pool: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Mistake, ...]:
    """The examples of dev (pool row numbers `rows`) that were missed by most, worst first."""
    assert pool.target is not None
    truth = pool.target[rows]
    if problem.task == "regression":
        error = np.abs(truth - predictions)
        chosen = np.argsort(-error, kind="stable")[:SHOWN]
    else:
        error = 1 - predictions[np.arange(len(truth)), truth]
        wrong = np.flatnonzero(labels(predictions) != truth)
        chosen = wrong[np.argsort(-error[wrong], kind="stable")][:SHOWN]
    return tuple(_mistake(problem, pool, int(rows[i]), truth[i], predictions[i], float(error[i])) for i in chosen)


def _mistake(problem: Problem, pool: Dataset, row: int, truth: float, predicted: np.ndarray, error: float) -> Mistake:
    origin = pool.origin[row] if pool.origin else str(row)
    if problem.task == "regression":
        words = (f"{truth:.6g}", f"{float(predicted):.6g}")
    else:
        words = (problem.classes[int(truth)], problem.classes[int(np.argmax(predicted))])
    if pool.images is not None:
        return Mistake(origin, *words, error, image=thumbnail(pool.images[row]))
    if pool.series is not None:
        ahead = (float(truth), float(predicted)) if pool.schema.layout.forecasts else None
        return Mistake(origin, *words, error, image=sketch(pool.series[row], ahead))
    assert pool.frame is not None
    values = pool.frame.iloc[row].head(COLUMNS)
    return Mistake(origin, *words, error, values=tuple((str(k), str(v)) for k, v in values.items()))


def thumbnail(image: np.ndarray) -> str:
    """A uint8 image (h, w, c) as a PNG in a data URI."""
    pixels = image[:, :, 0] if image.shape[2] == 1 else image
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
