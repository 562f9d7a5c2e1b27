"""Which columns of a table are inputs: those that are not dropped, and of these the ones that tell most on their own.

Guyon and Elisseeff 2003, "An Introduction to Variable and Feature Selection", JMLR 3, section 2: variables ranked one
by one by how well each predicts the target. Here by the share of the target's variance between bins of the column, less
what as many bins of noise would take (Wherry 1931, the adjusted R²).
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset
from steelyard.errors import UserError, suggest

Array = np.ndarray
BINS = 16  # of a column of numbers or dates


def chosen(dataset: Dataset, drop: Sequence[str], keep: float) -> tuple[Column, ...]:
    """The columns that are inputs: not in `drop`, and of the rest the share `keep`, at least one, in their order.

    UserError where `drop` names no column, or all of them.
    """
    check_drop(drop, [column.name for column in dataset.schema.columns])
    left = tuple(column for column in dataset.schema.columns if column.name not in drop)
    most = max(1, ceil(keep * len(left) - 1e-9))
    if most >= len(left) or dataset.target is None or dataset.frame is None:
        return left
    told = [told_by(dataset.frame[column.name], dataset.target, len(dataset.classes)) for column in left]
    best = set(np.argsort(-np.array(told), kind="stable")[:most].tolist())
    return tuple(column for place, column in enumerate(left) if place in best)


def check_drop(drop: Sequence[str], names: Sequence[str]) -> None:
    """UserError where `drop` names no column, or all of them."""
    for name in drop:
        if name not in names:
            raise UserError(f"prepare.drop names '{name}', which is no input{suggest(name, names)}")
    if drop and set(drop) >= set(names):
        raise UserError("prepare.drop names every input: there would be nothing left to learn from")


def told_by(values: pd.Series, target: Array, classes: int) -> float:
    """The adjusted share of the target's variance (of its classes, summed) that lies between bins of a column."""
    bins = _bins(values)
    counts = np.bincount(bins)
    outcomes = np.eye(classes)[target] if classes else target[:, None].astype(float)
    centred = outcomes - outcomes.mean(axis=0)
    total = float((centred**2).sum())
    used, rows = int((counts > 0).sum()), len(bins)
    if total <= 0 or rows <= used:
        return 0.0
    sums = np.column_stack([np.bincount(bins, column, len(counts)) for column in centred.T])
    between = float((sums**2 / np.maximum(counts, 1)[:, None]).sum())
    return 1 - (1 - between / total) * (rows - 1) / (rows - used)


def _bins(values: pd.Series) -> Array:
    """The bin of each row: levels of a category, equal shares of numbers and dates; missing ones have their own."""
    if values.dtype == object:
        return np.asarray(pd.factorize(values.to_numpy(object))[0] + 1)
    plain = pd.to_numeric(values).to_numpy(np.float64, na_value=np.nan) if values.dtype.kind == "f" else _days(values)
    known = plain[~np.isnan(plain)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    return np.asarray(np.where(np.isnan(plain), len(edges) + 1, np.searchsorted(edges, plain, side="left")))


def _days(values: pd.Series) -> Array:
    return np.asarray((values - pd.Timestamp(0)) / pd.Timedelta(days=1), np.float64)
