"""Where a model errs: confusion, residuals, the worst mistakes."""

import base64
import io

import numpy as np
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.metrics import labels
from steelyard.problem import Problem
from steelyard.records import Mistake

SHOWN = 24
SAMPLE = 1500
COLUMNS = 8
LONGEST = 500  # characters of a value


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
    assert pool.frame is not None
    values = pool.frame.iloc[row].head(COLUMNS)
    return Mistake(origin, *words, error, values=tuple((str(k), _short(str(v))) for k, v in values.items()))


def _short(text: str) -> str:
    """A text as long as a page has room for."""
    return text if len(text) <= LONGEST else text[: LONGEST - 2].rstrip() + " …"


def thumbnail(image: np.ndarray) -> str:
    """A uint8 image (h, w, c) as a PNG in a data URI."""
    pixels = image[:, :, 0] if image.shape[2] == 1 else image
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
