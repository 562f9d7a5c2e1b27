"""The human level on the rows of a run, and its model beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.annotations import Annotations, annotations_of
from steelyard.diagnosis.beside_human import Human, beside
from steelyard.diagnosis.human import human_level
from steelyard.diagnosis.human_level import stated
from steelyard.diagnosis.human_values import mean_square, rooted
from steelyard.diagnosis.votes import mean_error
from steelyard.errors import UserError
from steelyard.problem import Score
from steelyard.workflow.bench import Bench
from steelyard.workflow.proxies import CLASSES, VALUES
from steelyard.workflow.reopened import final_predictions

ENOUGH = 20  # annotated rows the model was not trained on, from which it is measured on these alone


def human_of(bench: Bench, annotators: Any, examples: int | None = None, seed: int = 0) -> Human:
    """The human level on the rows of an open run outside its test, and its final model beside it.

    `annotators` is an error as a number, or what `annotations_of` reads; its rows are joined by their names, the row
    numbers (from 1) or file paths of the run's source; without a column `row` they are numbered. Raises UserError.
    """
    task = bench.problem.task
    if task not in (*CLASSES, *VALUES):
        raise UserError(f"the human level is for one target, classes or values, and the task is {task}")
    if isinstance(annotators, int | float):
        level = stated(float(annotators), examples, values=task in VALUES)
        return Human(level, "a number", beside(level.level, _model_error(bench, None)[0]))
    said, rows, notes = joined(bench, annotations_for(bench, annotators))
    final = final_predictions(bench)
    measured = np.isin(rows, final.dev_rows)
    if measured.sum() >= ENOUGH and not measured.all():
        kept = int(measured.sum())
        notes = (*notes, f"both are measured on the {kept:,} annotated rows that the model was not trained on")
        said, rows = said.take(np.flatnonzero(measured)), rows[measured]
    truth = bench.truth[rows] if task in VALUES else np.array(bench.problem.classes, dtype=object)[bench.truth[rows]]
    level = human_level(said, truth, seed=seed)
    model, where = _model_error(bench, rows)
    return Human(level, called(annotators), beside(level.level, model), notes=(*notes, *where))


def annotations_for(bench: Bench, annotators: Any) -> Annotations:
    """What annotators said, in the classes of the run, or as values."""
    if isinstance(annotators, Annotations):
        return annotators
    return annotations_of(annotators, bench.problem.classes, bench.problem.task in VALUES)


def joined(bench: Bench, said: Annotations) -> tuple[Annotations, np.ndarray, tuple[str, ...]]:
    """What was said of rows of the pool, the numbers of those rows in it, and a note on the others."""
    names = said.rows or tuple(str(i + 1) for i in range(len(said)))
    kept, rows = matched(names, bench.pool.origin)
    if not len(kept):
        raise UserError(
            f"none of the {len(names):,} annotated rows (as '{names[0]}') is a row of the run outside its test (as "
            f"'{bench.pool.origin[0]}'): name them in a column `row` as the run does, by row number from 1 or file path"
        )
    lost = len(names) - len(kept)
    note = f"{lost:,} of {len(names):,} annotated rows are in the sealed test, or unknown to the run: left out"
    return said.take(kept), rows, (note,) * (lost > 0)


def matched(names: Sequence[str], known: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The places of names that are known, and their places among the known ones."""
    place = {name: i for i, name in enumerate(known)}
    pairs = [(i, place[name]) for i, name in enumerate(names) if name in place]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _model_error(bench: Bench, rows: np.ndarray | None) -> tuple[Score, tuple[str, ...]]:
    """The error of the final model on those rows of dev, or on all of it where too few are there; a note if so."""
    final = final_predictions(bench)
    used = np.arange(len(final.dev_rows)) if rows is None else np.flatnonzero(np.isin(final.dev_rows, rows))
    notes: tuple[str, ...] = ()
    if len(used) < ENOUGH:
        notes = ("the model and people are measured on different rows: too few annotated ones are in its dev part",)
        used = np.arange(len(final.dev_rows))
    truth, said = bench.truth[final.dev_rows[used]], final.dev[used]
    if bench.problem.task in VALUES:
        return rooted(mean_square((truth - said.reshape(-1)) ** 2)), notes
    return mean_error((said.argmax(axis=1) != truth).astype(float)), notes


def called(source: Any) -> str:
    """What a source of annotations is called."""
    return Path(source).name if isinstance(source, str | Path) else "annotators"
