"""Splits of mixed sources: dev is dealt from rows of the target sources alone, train-dev from what would be train.

A row of another source that is in one group with a row of dev is in neither part: it cannot be in dev, and train may
not know it. All functions return (train, train-dev, dev), (n,) bool each.
"""

from collections.abc import Sequence

import numpy as np

from steelyard.data.dealing import among, positions, twins
from steelyard.data.ordered import known_before, last_share, origins
from steelyard.data.sources import Sources

Array = np.ndarray
Parts = tuple[Array, Array, Array]
DEV_SHARE = 0.25  # of the target rows outside test: as many as the test holds
HELD, HELD_ROWS = 0.1, 6_000  # of the rows that would be train: more would cost what decisions are to be about


def held_out(
    strata: Array, groups: Array | None, sources: Sources, given: Array | None, most: int, deal: tuple[int, int]
) -> Parts:
    """A hold-out of the target rows, at most so many, or the `given` dev rows; `deal` is (seed, partition)."""
    seed, partition = deal
    if given is not None:
        dev = np.isin(np.arange(len(strata)), given)
    else:
        wanted = sources.wanted
        share = min(DEV_SHARE, most / max(1, int(wanted.sum())))
        dev = among(wanted, strata, groups, share, np.random.default_rng([seed, 1, partition]))
    rest = ~dev & ~twins(groups, dev)
    share = min(HELD, HELD_ROWS / max(1, int(rest.sum())))
    held = among(rest, by_source(strata, sources), groups, share, np.random.default_rng([seed, 7, partition]))
    return rest & ~held, held, dev


def in_folds(
    strata: Array, groups: Array | None, sources: Sources, folds: int, fold: int, deal: tuple[int, int]
) -> Parts:
    """One of so many folds: over all of them every target row is once in dev, and no row is twice in train-dev.

    The seed alone says which rows are ever in train-dev, so that what is predicted there can be averaged over deals.
    """
    seed, partition = deal
    codes = np.arange(len(strata)) if groups is None else groups
    _, member = np.unique(codes, return_inverse=True)
    wanted, dealt = np.flatnonzero(sources.wanted), by_source(strata, sources)
    near = np.isin(codes, codes[wanted])  # in a group with a target row
    ever = among(near, dealt, codes, HELD * (folds - 1), np.random.default_rng([seed, 7]))
    ever |= among(~near, dealt, codes, HELD * folds, np.random.default_rng([seed, 8]))
    stream, halves = np.random.default_rng([seed, 2, partition]), 2 * strata + ever
    of_group = np.full(int(member.max()) + 1, -1)
    of_group[member[wanted]] = positions(halves[wanted], codes[wanted], stream) % folds
    asked = of_group[member]  # the fold in which a row is in dev, or one of its group is; -1 for all others
    others = np.flatnonzero(~near & ever)
    turn = (asked + 1) % folds  # never the one in which it is in dev
    turn[others] = positions(dealt[others], codes[others], np.random.default_rng([seed, 9, partition])) % folds
    held, rest = ever & (turn == fold), asked != fold
    return rest & ~held, rest & held, ~rest & sources.wanted


def in_order(order: Array, sources: Sources, folds: int, fold: int, stream: Sequence[int] | None) -> Parts:
    """One origin of rows with a time: dev are target rows behind it; train-dev is asked last of what comes before.

    At random, train-dev would be answered by rows of train that overlap with it.
    """
    wanted = np.flatnonzero(sources.wanted)
    dev = np.zeros(len(order), bool)
    dev[wanted[origins(order[wanted], folds, fold, stream)[1]]] = True
    train, held = np.zeros(len(order), bool), np.zeros(len(order), bool)
    before = order[:, 0] < order[dev, 0].min() if dev.any() else ~dev
    rows = np.flatnonzero(before & known_before(order, np.flatnonzero(dev)))
    if not len(rows):
        return train, held, dev
    late = last_share(order[rows], HELD)
    early = ~late & known_before(order[rows], np.flatnonzero(late))
    train[rows[early]], held[rows[late]] = True, True
    return train, held, dev


def by_source(strata: Array, sources: Sources) -> Array:
    """Strata (n,) that are apart by source, too."""
    return np.asarray(strata * len(sources.names) + sources.codes)
