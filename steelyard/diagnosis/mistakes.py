"""Where a model errs: confusion, residuals, the worst mistakes."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.data.ordered import both
from steelyard.diagnosis.several import errors_of_several, pairs, words_of
from steelyard.diagnosis.sketch import sketch
from steelyard.problem import Problem
from steelyard.records import Mistake
from steelyard.training.answers import decided

SHOWN = 24
SAMPLE = 1500
COLUMNS = 8
MOMENTS = 300  # of a forecast that are drawn
LONGEST = 500  # characters of a value


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
    if pool.series is not None:
        ahead = (float(truth), float(said)) if pool.schema.layout.forecasts else None
        return Mistake(origin, *words, error, image=sketch(pool.series[row], ahead))
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
