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
KINDS = ("number", "category", "date")


def chosen(dataset: Dataset, drop: Sequence[str], keep: float) -> tuple[Column, ...]:
    """The columns that are inputs: not in `drop`, and of the rest the share `keep`, at least one, in their order.

    UserError where `drop` names no column, or all of them.
    """
    check_drop(drop, [column.name for column in dataset.schema.columns])
    left = tuple(column for column in dataset.schema.columns if column.name not in drop and column.kind in KINDS)
    most = max(1, ceil(keep * len(left) - 1e-9))
    if most >= len(left) or dataset.target is None or dataset.frame is None:
        return left
    outcomes = _outcomes(dataset.target, dataset)
    told = [told_by(dataset.frame[column.name], outcomes) for column in left]
    best = set(np.argsort(-np.array(told), kind="stable")[:most].tolist())
    return tuple(column for place, column in enumerate(left) if place in best)


def check_drop(drop: Sequence[str], names: Sequence[str]) -> None:
    """UserError where `drop` names no column, or all of them."""
    for name in drop:
        if name not in names:
            raise UserError(f"prepare.drop names '{name}', which is no input{suggest(name, names)}")
    if drop and set(drop) >= set(names):
        raise UserError("prepare.drop names every input: there would be nothing left to learn from")


def told_by(values: pd.Series, outcomes: Array) -> float:
    """The adjusted share of the variance of outcomes (n, k), summed, that lies between bins of a column."""
    bins = _bins(values)
    counts = np.bincount(bins)
    centred = outcomes - outcomes.mean(axis=0)
    total = float((centred**2).sum())
    used, rows = int((counts > 0).sum()), len(bins)
    if total <= 0 or rows <= used:
        return 0.0
    sums = np.column_stack([np.bincount(bins, column, len(counts)) for column in centred.T])
    between = float((sums**2 / np.maximum(counts, 1)[:, None]).sum())
    return 1 - (1 - between / total) * (rows - 1) / (rows - used)


def _outcomes(target: Array, dataset: Dataset) -> Array:
    """What is to be told (n, k): 0 and 1 for each class, values in their spread; a missing target is an average one."""
    if dataset.classes:
        return np.asarray(np.eye(len(dataset.classes))[target])
    columns = []
    for place, values in enumerate(np.atleast_2d(target.T)):
        known = ~np.isnan(values)
        many = len(dataset.heads[place].classes) if dataset.heads else 0
        coded = np.zeros((len(values), many or 1))
        if many:
            coded[known] = np.eye(many)[values[known].astype(np.int64)]
        else:
            coded[known, 0] = values[known] / (values[known].std() or 1.0)
        coded[~known] = coded[known].mean(axis=0) if known.any() else 0.0
        columns.append(coded)
    return np.hstack(columns)


def _bins(values: pd.Series) -> Array:
    """The bin of each row: levels of a category, equal shares of numbers and dates; missing ones have their own."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        plain = np.asarray((values - pd.Timestamp(0)) / pd.Timedelta(days=1), np.float64)
    elif pd.api.types.is_numeric_dtype(values.dtype):
        plain = values.to_numpy(np.float64)
    else:
        return np.asarray(pd.factorize(values.to_numpy(object))[0] + 1)
    known = plain[~np.isnan(plain)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    return np.asarray(np.where(np.isnan(plain), len(edges) + 1, np.searchsorted(edges, plain, side="left")))
