"""Exact duplicates: rows that are the same must stay on one side of a split."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

COARSE = 0.5  # of the rows being repeats: the columns are coarse and equality means nothing
COMMON, OFTEN = 0.05, 50  # a row that is so much of all, and more often there than this, is the usual case and no copy


def row_groups(frame: pd.DataFrame, target: np.ndarray) -> np.ndarray:
    """A number per row (n,), the same for rows whose inputs and target are all the same."""
    columns = {f"\0target {k}": column for k, column in enumerate(np.atleast_2d(target.T))}
    hashes = pd.util.hash_pandas_object(frame.assign(**columns), index=False)
    return np.asarray(pd.factorize(hashes.to_numpy())[0], dtype=np.int64)


def key_groups(keys: Sequence[Hashable]) -> np.ndarray:
    """A number per row (n,), the same for rows with the same key."""
    place: dict[Hashable, int] = {}
    return np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)


def judge(
    groups: np.ndarray, part: np.ndarray | None, what: str, coarse: float = COARSE
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The groups when there are duplicates to keep together, with what is said about them."""
    counts = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.int64)
    repeats = len(groups) - len(counts)
    if repeats == 0:
        return None, ()
    if repeats > coarse * len(groups):
        said = f"{repeats:,} of {len(groups):,} {what} repeat others: taken as coincidence of coarse columns"
        return None, (said,)
    groups, notes = _spread(groups, counts, what)
    rows = int((np.bincount(groups)[groups] > 1).sum())
    notes += [f"{rows:,} {what} are exact duplicates of others: kept on one side of every split"] * (rows > 0)
    if part is not None and np.any(part == "test"):
        seen = int(np.isin(groups[part == "test"], groups[part != "test"]).sum())
        notes += [f"{seen:,} of the test {what} also found in the training data"] * (seen > 0)
    return groups, tuple(notes)


def _spread(groups: np.ndarray, counts: np.ndarray, what: str) -> tuple[np.ndarray, list[str]]:
    """The groups with those taken apart that are a large part of all, which no split may hold as a whole."""
    common = np.flatnonzero(counts > max(OFTEN, COMMON * len(groups)))
    if not len(common):
        return groups, []
    rows = np.flatnonzero(np.isin(groups, common))
    apart = groups.copy()
    apart[rows] = len(counts) + np.arange(len(rows))
    said = f"{len(rows):,} {what} repeat {len(common)} so often that every split has its share of them"
    return apart, [said]
