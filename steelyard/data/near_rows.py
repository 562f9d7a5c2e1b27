"""Rows of a table that are nearly the same: the same categories, and numbers that differ by next to nothing.

What "next to nothing" is, the table says itself. Where values are smooth, the number of pairs closer than t grows like
t to the power of the dimension (Grassberger and Procaccia 1983, "Measuring the Strangeness of Strange Attractors"):
pairs closer than t are then few beside those closer than 10 t or 100 t. Copies with noise stand out: many pairs below
t, hardly any between t and 100 t. Only where that is so beyond chance are pairs reported, so that coarse columns,
columns of few values and smooth series raise no alarm.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import binom

from steelyard.data.dataset import Column

Array = np.ndarray
MOST = 200_000  # rows that are compared
RADII = 10.0 ** np.arange(-6, -0.4, 0.5)  # in spreads of a column
LARGEST = 0.04  # spreads: farther apart rows are not the same, whatever the others do
RATIOS = (2, 4)  # steps among the radii to the wider circle: 10 and 100 times
BY_CHANCE, FALSE = 1.01e-4, 0.05  # the p-value, and the share of chance pairs among those reported, at the most
FAR = 1e3  # spreads between rows of other categories
SEVERAL = 3  # columns in which rows differ, from which the dimension may be taken to be two
NEAREST = 3  # neighbours of each row that are looked at
NO_PAIRS = np.zeros((0, 2), np.int64)


def near_rows(frame: pd.DataFrame, columns: Sequence[Column]) -> Array:
    """Pairs (m, 2) of rows that are nearly the same but not quite; of the first `MOST` rows."""
    numbers = [column.name for column in columns if column.kind == "number"]
    if not numbers:
        return NO_PAIRS
    frame = frame.iloc[:MOST]
    values = frame[numbers].to_numpy(np.float64)
    others = frame.drop(columns=numbers)
    others = others.assign(**{f"\0{number}": np.isnan(column) for number, column in enumerate(values.T)})
    keys = pd.util.hash_pandas_object(others, index=False).to_numpy()
    scaled = _scaled(values)
    rows = _distinct(keys, scaled)
    rows = rows[_shared(keys[rows])]
    if len(rows) < 2:
        return NO_PAIRS
    pairs, closest = _neighbours(np.column_stack([pd.factorize(keys[rows])[0] * FAR, scaled[rows]]))
    differing = (scaled[rows[pairs[:, 0]]] != scaled[rows[pairs[:, 1]]]).sum(axis=1)
    found = []
    for kind, most in ((differing < SEVERAL, 1.0), (differing >= SEVERAL, 2.0)):
        radius = _radius(np.searchsorted(np.sort(closest[kind]), RADII, side="right"), most, len(rows))
        if radius is not None:
            found.append(pairs[kind & (closest <= radius)])
    return np.asarray(rows[np.vstack(found)], np.int64) if found else NO_PAIRS


def _neighbours(points: Array) -> tuple[Array, Array]:
    """Pairs (m, 2) of points and their nearest ones that are not too far, each pair once, and their distances (m,)."""
    distances, nearest = cKDTree(points).query(points, 1 + NEAREST, p=np.inf, distance_upper_bound=RADII[-1])
    me = np.arange(len(points))
    one, other, far = np.repeat(me, 1 + NEAREST), nearest.ravel(), distances.ravel()
    real = np.isfinite(far) & (other != one)
    pairs = np.sort(np.column_stack([one[real], other[real]]), axis=1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    return pairs, np.asarray(far[real][first])


def _scaled(values: Array) -> Array:
    """Numbers in spreads of their column, missing ones as 0."""
    values = np.where(np.isnan(values).all(axis=0), 0.0, values)
    low, middle, high = np.nanpercentile(values, [25, 50, 75], axis=0)
    deviation = np.nanstd(values, axis=0)
    quartiles = (high - low) / 1.349
    spread = np.where(quartiles > 0, np.minimum(quartiles, deviation), deviation)
    kept = spread > 0
    return np.asarray(np.nan_to_num((values[:, kept] - middle[kept]) / spread[kept]))


def _distinct(keys: Array, scaled: Array) -> Array:
    """The first of all rows that are exactly the same."""
    whole = pd.util.hash_pandas_object(pd.DataFrame(scaled).assign(key=keys), index=False).to_numpy()
    return np.sort(np.unique(whole, return_index=True)[1])


def _shared(keys: Array) -> Array:
    """Which rows (n,) have the key of another one."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[place] > 1)


def _radius(counts: Array, most: float, rows: int) -> float | None:
    """The largest radius below which there are more pairs than chance brings; `counts` are pairs below each radius.

    Where there are more pairs than rows, the few neighbours that are looked at are not all there are.
    """
    for place in range(len(RADII) - 1 - min(RATIOS), -1, -1):
        inside = int(counts[place])
        if RADII[place] > LARGEST or not inside:
            continue
        for step in RATIOS:
            if place + step >= len(RADII) or counts[place + step] > rows:
                continue
            share = float((RADII[place + step] / RADII[place]) ** -_dimension(counts, place + step, most))
            around = int(counts[place + step])
            expected = (around - inside + 1) * share / (1 - share)
            if expected <= FALSE * inside and binom.sf(inside - 1, around, share) <= BY_CHANCE:
                return float(RADII[place])
    return None


def _dimension(counts: Array, place: int, most: float) -> float:
    """A cautious dimension: at most `most`, less where pairs grow slower with the radius from there on; at least 1."""
    slopes = [np.log10(counts[i + 2] / counts[i]) for i in range(place, len(RADII) - 2) if counts[i] >= 10]
    return float(np.clip(min(slopes, default=most), 1.0, most))
