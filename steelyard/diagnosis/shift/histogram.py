"""How a feature is distributed in two sources: what a small drawing shows."""

from dataclasses import dataclass

import numpy as np

from steelyard.diagnosis.shift.features import Features

Array = np.ndarray
BINS = 20


@dataclass(frozen=True)
class Histogram:
    """Shares of both sources by `labels`, or, where there are `edges` of one bin more, by bins of values."""

    labels: tuple[str, ...]
    edges: tuple[float, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]


def histogram(features: Features, name: str, what: str, domain: Array) -> Histogram:
    """The shares of both sources by bins of the values of a feature, or by its levels, or whether `what` holds."""
    places = features.of(name)
    kind = next((features.kinds[p] for p in places if features.names[p] == what), features.kinds[places[0]])
    if kind in {"number", "date"}:
        values = features.matrix[:, places[0]]
        known = values[~np.isnan(values)]
        low, high = np.quantile(known, [0.005, 0.995])
        if low == high:
            low, high = known.min(), known.max()
        edges = np.linspace(low, high, BINS + 1)
        sides = [np.clip(values[(domain == side) & ~np.isnan(values)], low, high) for side in (0, 1)]
        shares = [np.histogram(side, edges)[0] / max(1, len(side)) for side in sides]
        return Histogram((), tuple(map(float, edges)), *(tuple(map(float, each)) for each in shares))
    if kind in {"missing", "word"}:
        place = next(p for p in places if not what or features.names[p] == what)
        share = [float(features.matrix[domain == side, place].mean()) for side in (0, 1)]
        return Histogram(("no", "yes"), (), (1 - share[0], share[0]), (1 - share[1], share[1]))
    labels = tuple(features.names[p].removeprefix(f"{name} = ") for p in places)
    shares = [features.matrix[domain == side][:, places].mean(axis=0) for side in (0, 1)]
    return Histogram(labels, (), *(tuple(map(float, each)) for each in shares))
