"""Rows dealt out at random, each stratum evenly, rows of one group together."""

import numpy as np

Array = np.ndarray


def positions(strata: Array, groups: Array | None, stream: np.random.Generator) -> Array:
    """Where each row stands in a shuffled queue sorted by stratum; duplicates stand where their first copy does."""
    codes = np.arange(len(strata)) if groups is None else groups
    _, first, member = np.unique(codes, return_index=True, return_inverse=True)
    shuffled = stream.permutation(len(first))
    queue = shuffled[np.argsort(strata[first][shuffled], kind="stable")]
    position = np.empty(len(first), dtype=np.int64)
    position[queue] = np.arange(len(first))
    return np.asarray(position[member])


def systematic(strata: Array, groups: Array | None, share: float, stream: np.random.Generator) -> Array:
    """Which rows (bool) fall to a share of the data: every 1/share-th of the queue, so each stratum gives its part."""
    start = stream.random()
    position = positions(strata, groups, stream)
    return np.asarray(np.floor((position + 1) * share + start) > np.floor(position * share + start))


def among(rows: Array, strata: Array, groups: Array | None, share: float, stream: np.random.Generator) -> Array:
    """Which of all rows (n,) bool fall to a share of those `rows` (n,) bool."""
    found, places = np.zeros(len(rows), bool), np.flatnonzero(rows)
    found[places] = systematic(strata[places], None if groups is None else groups[places], share, stream)
    return found


def twins(groups: Array | None, rows: Array) -> Array:
    """Which other rows (n,) bool are in one group with any of the `rows` (n,) bool."""
    return np.zeros(len(rows), bool) if groups is None else np.isin(groups, groups[rows]) & ~rows


def ranks(strata: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Where each row (n,) stands in a shuffled queue of which every beginning has its share of each stratum."""
    shuffled = stream.permutation(len(strata))
    codes = strata[shuffled]
    by_code = np.argsort(codes, kind="stable")
    _, starts, member, counts = np.unique(codes[by_code], return_index=True, return_inverse=True, return_counts=True)
    shares = np.empty(len(strata))
    shares[shuffled[by_code]] = (np.arange(len(strata)) - starts[member] + stream.random(len(starts))[member]) / counts[
        member
    ]
    found = np.empty(len(strata), dtype=np.int64)
    found[np.argsort(shares, kind="stable")] = np.arange(len(strata))
    return found
