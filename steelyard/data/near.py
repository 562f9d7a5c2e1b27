"""Rows of a data set that are the same or nearly so, whatever it holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from steelyard.data.dataset import Dataset
from steelyard.data.duplicates import COARSE, key_groups
from steelyard.data.mapped import chunks
from steelyard.data.near_images import near_images
from steelyard.data.near_rows import near_rows
from steelyard.data.near_texts import near_texts

Array = np.ndarray
ALIKE = 0.01  # spreads of a column: as much may numbers differ beside texts that are nearly the same
RUN_ROWS, RUN_IMAGES, RUN_LETTERS = 50_000, 20_000, 5_000_000  # what a run looks through without being asked


def same_inputs(dataset: Dataset) -> Array:
    """A number per row (n,), the same for rows with the same inputs, whatever their target."""
    if dataset.frame is not None:
        hashes = pd.util.hash_pandas_object(dataset.frame, index=False)
        return np.asarray(pd.factorize(hashes.to_numpy())[0], np.int64)
    if dataset.images is None:
        return np.arange(len(dataset))
    return key_groups([image.tobytes() for _, chunk in chunks(dataset.images) for image in chunk])


def near_pairs(dataset: Dataset) -> Array:
    """Pairs (m, 2) of rows that are nearly the same; rows that are exactly the same may be among them."""
    if dataset.images is not None:
        return near_images(dataset.images)
    if dataset.frame is None:
        return np.zeros((0, 2), np.int64)
    return np.vstack([near_rows(dataset.frame, dataset.schema.columns), _near_by_text(dataset)])


def joined(groups: Array, pairs: Array) -> Array:
    """The groups (n,) with those joined that a pair connects."""
    count = int(groups.max()) + 1 if len(groups) else 0
    one, other = groups[pairs].T if len(pairs) else np.zeros((2, 0), np.int64)
    graph = coo_matrix((np.ones(len(one), bool), (one, other)), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1][groups], np.int64)


def kept_together(dataset: Dataset) -> Dataset:
    """The data set with nearly equal rows in one group, so that they stay on one side of every split, and said.

    As it came where there are none, or where the set is too large to look through unasked.
    """
    if _letters(dataset) > RUN_LETTERS or len(dataset) > (RUN_IMAGES if dataset.images is not None else RUN_ROWS):
        return dataset
    pairs = near_pairs(dataset)
    before = np.arange(len(dataset)) if dataset.groups is None else dataset.groups
    groups = joined(before, pairs)
    rows = np.unique(pairs[before[pairs[:, 0]] != before[pairs[:, 1]]])
    if not len(rows) or len(rows) > COARSE * len(dataset):
        return dataset
    what = "images" if dataset.images is not None else "rows"
    notes = [
        f"{len(rows):,} {what} are nearly the same as others: kept on one side of every split; "
        "`steelyard duplicates` lists them"
    ]
    if dataset.part is not None and np.any(dataset.part == "test"):
        test = rows[dataset.part[rows] == "test"]
        seen = int(np.isin(groups[test], groups[dataset.part != "test"]).sum())
        notes += [f"{seen:,} of the test {what} nearly the same as some in the training data"] * (seen > 0)
    return replace(dataset, groups=groups, notes=(*dataset.notes, *notes))


def _texts(dataset: Dataset) -> list[str]:
    return [column.name for column in dataset.schema.columns if str(column.kind) == "text"]


def _letters(dataset: Dataset) -> int:
    frame = dataset.frame
    return 0 if frame is None else sum(int(frame[name].dropna().str.len().sum()) for name in _texts(dataset))


def _near_by_text(dataset: Dataset) -> Array:
    """Pairs of rows whose texts are nearly the same and all else about equal."""
    names, frame = _texts(dataset), dataset.frame
    if not names or frame is None:
        return np.zeros((0, 2), np.int64)
    whole = frame[names[0]].tolist()
    if len(names) > 1:
        rows = zip(*(frame[name] for name in names), strict=True)
        whole = [" ".join(text for text in row if isinstance(text, str)) for row in rows]
    pairs = near_texts([text if isinstance(text, str) else None for text in whole])
    alike = np.ones(len(pairs), bool)
    for column in dataset.schema.columns:
        if column.name not in names:
            alike &= _alike(frame[column.name], pairs, column.kind == "number")
    return np.asarray(pairs[alike])


def _alike(values: pd.Series, pairs: Array, number: bool) -> Array:
    if not number:
        codes = pd.factorize(values)[0]
        return np.asarray(codes[pairs[:, 0]] == codes[pairs[:, 1]])
    numbers = values.to_numpy(np.float64)
    one, other = numbers[pairs].T
    near = np.abs(one - other) <= ALIKE * np.nanstd(numbers)
    return np.asarray(near | (np.isnan(one) & np.isnan(other)))
