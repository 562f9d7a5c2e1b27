"""Each input alone: out-of-fold means of the target in bins of a number or date, or in levels of a category."""

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column
from steelyard.diagnosis.probes.losses import Rows

Array = np.ndarray
BINS, LEVELS = 64, 1_000  # of a column, at the most
FEWEST = 10  # rows of a bin
PRIOR = 2.0  # rows that the mean of all counts for in each bin


def alone(rows: Rows, column: Column) -> Array:
    """Predictions of each row (n, classes) or (n,) from one column."""
    values, number = _values(rows, column), column.kind in {"number", "date"}
    shape = (len(rows.truth), rows.classes) if rows.classes else (len(rows.truth),)
    found = np.zeros(shape)
    for learnt, held in rows.splits():
        bins = _binned(values, learnt) if number else _levelled(values, learnt)
        found[held] = _means(rows, bins, learnt)[bins[held]]
    return found


def _values(rows: Rows, column: Column) -> Array:
    """Numbers with NaN for missing, or codes with -1 for missing."""
    frame = rows.data.frame
    assert frame is not None
    if column.kind == "number":
        return np.asarray(frame[column.name].to_numpy(np.float64))
    if column.kind == "date":
        dates = frame[column.name]
        return np.asarray(np.where(dates.isna(), np.nan, dates.to_numpy("datetime64[ns]").astype(np.float64)))
    return np.asarray(pd.factorize(frame[column.name].to_numpy(object))[0])


def _binned(values: Array, learnt: Array) -> Array:
    """The bin of each row: equal shares of the learnt rows, values that occur often alone; the last bin is missing."""
    known = np.sort(values[learnt][~np.isnan(values[learnt])])
    count = int(np.clip(len(known) // FEWEST, 1, BINS))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:-1])) if len(known) else np.zeros(0)
    bins = np.searchsorted(edges, values, side="left")
    return np.asarray(np.where(np.isnan(values), len(edges) + 1, bins))


def _levelled(codes: Array, learnt: Array) -> Array:
    """The bin of each row: the levels that occur most among the learnt rows; 0 for others and missing."""
    counts = np.bincount(codes[learnt][codes[learnt] >= 0], minlength=int(codes.max(initial=0)) + 1)
    kept = np.argsort(-counts, kind="stable")[:LEVELS]
    place = np.zeros(len(counts) + 1, np.int64)
    place[kept] = np.arange(1, len(kept) + 1)
    place[-1] = 0
    return np.asarray(place[codes])


def _means(rows: Rows, bins: Array, learnt: Array) -> Array:
    """The shares of the classes (bins, classes) or the mean of the values (bins,), drawn towards that of all."""
    size = int(bins.max()) + 1
    counts = np.bincount(bins[learnt], minlength=size)
    if not rows.classes:
        sums = np.bincount(bins[learnt], rows.truth[learnt], size)
        return np.asarray((sums + PRIOR * rows.truth[learnt].mean()) / (counts + PRIOR))
    of_all = (np.bincount(rows.truth[learnt], minlength=rows.classes) + 1) / (len(learnt) + rows.classes)
    found = np.zeros((size, rows.classes))
    np.add.at(found, (bins[learnt], rows.truth[learnt]), 1)
    return np.asarray((found + PRIOR * of_all) / (counts + PRIOR)[:, None])
