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
    error, wrong = missed(problem, pool.target[rows], predictions)
    found = np.flatnonzero(wrong)
    return shown(problem, pool, rows, predictions, found[np.argsort(-error[found], kind="stable")][:SHOWN])


def missed(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each example is missed (n,), and which are mistakes (n,) bool: of values all are.

    Of classes it is 1 - the probability of the truth, of values the distance, of several targets a mean over them.
    """
    if problem.heads:
        return errors_of_several(problem, truth, predictions)
    if problem.task == "regression":
        return np.abs(truth - predictions), np.ones(len(truth), bool)
    return 1 - predictions[np.arange(len(truth)), truth], decided(problem, predictions) != truth


def shown(
    problem: Problem,
    pool: Dataset,
    rows: np.ndarray,
    predictions: np.ndarray,
    chosen: np.ndarray,
    columns: int = COLUMNS,
) -> tuple[Mistake, ...]:
    """The `chosen` of the predictions on rows of the pool as they are shown, of tables with so many columns."""
    assert pool.target is not None
    truth, said = pool.target[rows], decided(problem, predictions)
    error = missed(problem, truth, predictions)[0]
    return tuple(_mistake(problem, pool, int(rows[i]), truth[i], said[i], float(error[i]), columns) for i in chosen)


def name_of(pool: Dataset, row: int) -> str:
    """What a row is called: a file, or the number of the row."""
    return pool.origin[row] if pool.origin else str(row)


def _mistake(problem: Problem, pool: Dataset, row: int, truth: Any, said: Any, error: float, columns: int) -> Mistake:
    origin = name_of(pool, row)
    words = (words_of(problem, truth), words_of(problem, np.where(np.isnan(truth), np.nan, said)))
    if pool.images is not None:
        return Mistake(origin, *words, error, image=thumbnail(pool.images[row]))
    if pool.series is not None:
        ahead = (float(truth), float(said)) if pool.schema.layout.forecasts else None
        return Mistake(origin, *words, error, image=sketch(pool.series[row], ahead))
    assert pool.frame is not None
    values = pool.frame.iloc[row].head(columns)
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
