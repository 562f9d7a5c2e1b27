"""Human level: how often (or how far) people are wrong, from a number or from several annotators."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.annotations import Annotations, annotations_of
from steelyard.data.columns import numbers
from steelyard.data.targets import class_names, codes_of, infer_task, sorted_classes
from steelyard.diagnosis.human_labels import level_of_labels
from steelyard.diagnosis.human_level import HumanLevel, stated
from steelyard.diagnosis.human_values import level_of_values
from steelyard.errors import UserError, suggest

Array = np.ndarray
__all__ = ["HumanLevel", "human_level"]


def human_level(
    given: Any,
    truth: Any = None,
    *,
    classes: Sequence[str] = (),
    values: bool | None = None,
    examples: int | None = None,
    interval: tuple[float, float] | None = None,
    seed: int = 0,
) -> HumanLevel:
    """The human level from a number, or from what several annotators said of the same rows.

    `given` is an error (with its `interval`, or the number of `examples` it was measured on), or anything that
    `data.annotations.annotations_of` reads, or `Annotations`. `truth` (rows,) are the true labels or values where they
    are known; without them every annotator is held against the others. `values`: numbers are measured, not classes;
    None: as they look. `seed` draws panels and halves of the rows. Raises UserError.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return stated(float(given), examples, interval, bool(values))
    true = None if truth is None else _complete(pd.Series(truth).reset_index(drop=True))
    if isinstance(given, Annotations):
        said = given
    else:
        if values is None and true is not None and not classes:
            values = infer_task(true) == "regression"
        known = tuple(classes) or (() if true is None or values else sorted_classes(class_names(true)))
        said = annotations_of(given, known, values)
    if true is not None and len(true) != len(said):
        raise UserError(
            f"there are {len(said):,} annotated rows, but {len(true):,} with a truth: expected the same rows, in the "
            "same order"
        )
    if said.values is not None:
        return level_of_values(said, None if true is None else _values(true), seed)
    return level_of_labels(said, None if true is None else _codes(true, said.classes), seed)


def _codes(truth: pd.Series, classes: Sequence[str]) -> Array:
    """Codes (n,) of true labels. Raises UserError for one that is no class."""
    names = class_names(truth)
    codes = codes_of(names, tuple(classes))
    if (codes < 0).any():
        first = names[np.flatnonzero(codes < 0)[0]]
        raise UserError(f"the true label '{first}' is no class that annotators could say{suggest(first, classes)}")
    return codes


def _values(truth: pd.Series) -> Array:
    """True values (n,). Raises UserError for one that is no number."""
    found = numbers(truth)
    if found.strays or np.isnan(found.values).any():
        raise UserError(f"the true values hold '{next(iter(found.strays), 'inf')}': expected numbers")
    return found.values


def _complete(truth: pd.Series) -> pd.Series:
    """The truth, of every row."""
    absent = sum(name is None for name in class_names(truth))
    if absent:
        raise UserError(f"{absent:,} of {len(truth):,} rows lack a truth: leave them out, or give no truth at all")
    return truth
