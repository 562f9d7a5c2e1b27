"""Splits of rows that have a time: who learns comes first, who is asked comes later, with a gap where answers overlap.

A forecast made at time a is known to be right or wrong at time b, `horizon` steps later. Rows may be learnt from by
those asked at a' only if b <= a': what came later was not known then. Dev is cut into stretches one after the other,
each predicted by what came before it: the rolling origin of Tashman 2000 (International Journal of Forecasting 16,
437-450), with a window that expands.
"""

from collections.abc import Sequence

import numpy as np

Array = np.ndarray
DEV, DEV_FOLDS = 0.2, 0.5  # of the rows outside test that are dev: one stretch, or several with an origin each
MOVED = 0.5  # of a stretch by which other partitions move the origins, at most


def both(order: Array | None) -> Array:
    """`order` (n, 2) from the times (n,) of rows that are asked and known at once, or as it is."""
    assert order is not None
    return order if order.ndim == 2 else np.stack([order, order], axis=1)


def last_share(order: Array, share: float) -> Array:
    """Which rows (n,) bool are asked last, about that share of them; rows asked at one time stay together."""
    asked = order[:, 0]
    cut = np.sort(asked)[min(len(asked) - 1, round(len(asked) * (1 - share)))]
    return np.asarray(asked >= cut)


def known_before(order: Array, rows: Array) -> Array:
    """Which rows (n,) bool have an answer that was known when the first of those `rows` was asked."""
    if not len(rows):
        return np.ones(len(order), bool)
    return np.asarray(order[:, 1] <= order[rows, 0].min())


def latest(order: Array, rows: Array, size: int) -> Array:
    """The `size` of the rows that are asked last, in the order in which they come."""
    return np.sort(rows[np.argsort(order[rows, 0], kind="stable")[-size:]])


def origins(order: Array, folds: int, fold: int, stream: Sequence[int] | None) -> tuple[Array, Array]:
    """Sorted row numbers (train, dev) of one stretch of dev; fold 0 is the last one and learns from most.

    With a `stream` of random numbers the origins between stretches are others, while all stretches together hold the
    same rows; where dev is one stretch, its beginning is another.
    """
    times = np.sort(order[:, 0])
    share = DEV if folds == 1 else DEV_FOLDS
    marks = 1 - share * np.arange(folds + 1) / folds  # from the end back to the first origin, as shares of the rows
    if stream is not None:
        random = np.random.default_rng(stream)
        moved = marks[1:] if folds == 1 else marks[1:-1]
        moved += MOVED * share / folds * random.uniform(-0.5, 0.5, len(moved))
    cuts = [times[min(len(times) - 1, round(mark * len(times)))] for mark in marks]
    asked = order[:, 0]
    inside = (asked >= cuts[fold + 1]) & ((asked < cuts[fold]) | (fold == 0))
    dev = np.flatnonzero(inside)
    train = np.flatnonzero((asked < cuts[fold + 1]) & known_before(order, dev))
    return train, dev
