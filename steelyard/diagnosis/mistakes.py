"""Where a model errs: confusion, residuals, the worst mistakes."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.diagnosis.several import errors_of_several, pairs, words_of
from steelyard.metrics import decided
from steelyard.problem import Problem
from steelyard.records import Mistake

SHOWN = 24
SAMPLE = 1500
COLUMNS = 8


def confusion(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """How often each class (row) was predicted as each class (column); empty in regression and for several targets."""
    if not problem.classes:
        return ()
    counts = np.zeros((problem.outputs, problem.outputs), dtype=int)
    np.add.at(counts, (truth, decided(problem, predictions)), 1)
    return tuple(tuple(int(c) for c in row) for row in counts)


def residuals(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(truth, prediction) of an evenly spaced sample of examples; empty in classification."""
    return pairs(truth, predictions, SAMPLE) if problem.task == "regression" else ()


def worst(problem: Problem, pool: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Mistake, ...]:
    """The examples of dev (pool row numbers `rows`) that were missed by most, worst first."""
    assert pool.target is not None
    truth = pool.target[rows]
    if problem.heads:
        error, wrong = errors_of_several(problem, truth, predictions)
    elif problem.task == "regression":
        error, wrong = np.abs(truth - predictions), np.ones(len(truth), bool)
    else:
        error = 1 - predictions[np.arange(len(truth)), truth]
        wrong = decided(problem, predictions) != truth
    missed = np.flatnonzero(wrong)
    chosen = missed[np.argsort(-error[missed], kind="stable")][:SHOWN]
    said = decided(problem, predictions)
    return tuple(_mistake(problem, pool, int(rows[i]), truth[i], said[i], float(error[i])) for i in chosen)


def _mistake(problem: Problem, pool: Dataset, row: int, truth: Any, said: Any, error: float) -> Mistake:
    origin = pool.origin[row] if pool.origin else str(row)
    words = (words_of(problem, truth), words_of(problem, np.where(np.isnan(truth), np.nan, said)))
    if pool.images is not None:
        return Mistake(origin, *words, error, image=thumbnail(pool.images[row]))
    assert pool.frame is not None
    values = pool.frame.iloc[row].head(COLUMNS)
    return Mistake(origin, *words, error, values=tuple((str(k), str(v)) for k, v in values.items()))


def thumbnail(image: np.ndarray) -> str:
    """A uint8 image (h, w, c) as a PNG in a data URI."""
    pixels = image[:, :, 0] if image.shape[2] == 1 else image
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
