"""Slices of a run: parts of its dev rows on which the final model errs more than on the rest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Dataset
from steelyard.diagnosis.clusters import clusters
from steelyard.diagnosis.conditions import TAILS, Condition, conditions_on
from steelyard.diagnosis.measures import measures
from steelyard.diagnosis.misses import misses
from steelyard.diagnosis.slice_records import Slices
from steelyard.diagnosis.slices import find_slices
from steelyard.errors import UserError, suggest
from steelyard.problem import Problem
from steelyard.training.answers import decided
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.reopened import final_predictions, reopened
from steelyard.workflow.stored import OF_A_RUN

Watch = Callable[[Any], None]
CLUSTER, TRUE, PREDICTED = "cluster", "true class", "predicted class"
OVERLAPPING = (
    "windows that are near in time err alike, while the tests take rows for independent: slices of a forecast are hints"
)


@dataclass(frozen=True)
class Cut:
    """How the rows are cut into slices: by `columns` (none: by everything there is), `pairs` of conditions or not."""

    columns: tuple[str, ...] = ()
    pairs: bool = True
    seed: int = 0
    output: Path | None = None
    command: str = ""
    network: Any = None


def cut(asked: Cut, folder: Path, ask: Ask | None = None, watch: Watch = lambda _: None) -> Slices:
    """The slices of the run in `folder`; record and page lie in `output` of it. Raises UserError."""
    with reopened(folder, 0.0, ask, watch, network=asked.network) as bench:
        found = slices_of(bench, asked.columns, asked.pairs, asked.seed)
    from steelyard.report.slices import slices_page

    return laid_down(found, asked.output or folder / OF_A_RUN, "slices", slices_page, asked.command)


def slices_of(bench: Bench, columns: tuple[str, ...] = (), pairs: bool = True, seed: int = 0) -> Slices:
    """The slices of dev on which the final model errs more, by `columns` or measures of that name, or by all.

    Raises UserError for a name that is neither.
    """
    said, problem = final_predictions(bench), bench.problem
    rows, dev = said.dev_rows, said.dev
    weights = bench.pool.weights_of(rows)
    if weights is not None and not (weights > 0).all():  # what does not count is no part of the error
        rows, dev, weights = rows[weights > 0], dev[weights > 0], weights[weights > 0]
    part, truth = bench.pool.take(rows), bench.truth[rows]
    conditions = conditions_of(part, columns, class_conditions(problem, truth, dev), seed)
    found = find_slices(misses(problem, truth, dev, weights), conditions, pairs)
    notes = (OVERLAPPING,) if bench.pool.schema.layout.forecasts else ()
    return replace(found, things=problem.things[1], notes=notes)


def conditions_of(
    dataset: Dataset, columns: tuple[str, ...] = (), more: Iterable[Condition] = (), seed: int = 0
) -> list[Condition]:
    """All conditions on a data set, and `more`; with `columns` only those on features of these names.

    Features are the columns of its table, measures of images, texts and series, and the clusters of all together.
    """
    found = list(more)
    if dataset.frame is not None:
        kinds = {each.name: each.kind for each in dataset.schema.columns}
        for name, values in dataset.frame.items():
            if kinds.get(str(name)) not in {"text", "image"}:
                found += conditions_on(str(name), values, TAILS)
            elif kinds[str(name)] == "text" and values.isna().any():
                found.append(Condition(str(name), f"{name} is missing", values.isna().to_numpy()))
    for name, numbers in measures(dataset).items():
        found += conditions_on(name, pd.Series(numbers), TAILS, "look")
    features = {each.feature for each in found} | {CLUSTER}
    for column in columns:
        if column not in features:
            raise UserError(f"there is no column '{column}' to slice by{suggest(column, sorted(features))}")
    if not columns or CLUSTER in columns:
        found += clusters(dataset, [each for each in found if each.kind != "class"], seed)
    return [each for each in found if not columns or each.feature in columns]


def class_conditions(problem: Problem, truth: np.ndarray, predictions: np.ndarray) -> list[Condition]:
    """True and predicted class as conditions, or the quarters of true values; none for several targets."""
    if problem.heads:
        return []
    if not problem.classes:
        return [
            replace(each, kind="class") for each in conditions_on(f"true {problem.target}", pd.Series(truth), TAILS)
        ]
    said = decided(problem, predictions)
    return [
        Condition(feature, f"{feature} = {name}", codes == code, "class")
        for feature, codes in ((TRUE, truth), (PREDICTED, said))
        for code, name in enumerate(problem.classes)
    ]
