"""How number columns are brought to a common scale: fitted on train rows, plain values, the same everywhere after."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

Treatment = Literal["robust", "standard", "quantile", "none"]
Array = np.ndarray

FAR = 1e6  # no scaled value lies further out: a stray 1e300 must not overflow float32
TINY = 1e-290  # a spread below this is none
KNOTS = 128  # kept per column evenly over its ranks, and as many evenly over its distinct values


@dataclass(frozen=True)
class Scaling:
    """Fitted on columns (n, d): missing values take `fill`, then (x - center) * scale, then the treatment's bend.

    robust: median and quartile distance, then x / sqrt(1 + (x / 3)^2), which is smooth and stays within ±3.
    quantile: ranks to normal scores through up to 256 `knots` (values, their scores) per column.
    standard: mean 0, spread 1. none: untouched, NaN kept, for trees.
    Source: Holzmüller et al. 2024, "Better by Default", section 3 (arXiv 2407.04491) for robust.
    """

    treatment: Treatment
    fill: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    knots: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()

    def apply(self, columns: Array) -> Array:
        """The columns (n, d) float64 with NaN for missing, scaled, as float32."""
        if self.treatment == "none":
            return np.asarray(np.clip(columns, -3e38, 3e38), np.float32)
        filled = np.where(np.isnan(columns), np.asarray(self.fill), columns)
        if self.treatment == "quantile":
            scores = [np.interp(filled[:, j], *self.knots[j]) for j in range(filled.shape[1])]
            return np.stack(scores, axis=1).astype(np.float32) if scores else filled.astype(np.float32)
        scale = np.asarray(self.scale)
        far = FAR / np.maximum(scale, 1e-300)  # clipped before the product, and halved before the difference, which
        apart = filled / 2 - np.asarray(self.center) / 2  # may both be too large for a number
        scaled = np.clip(apart, -far, far) * scale * 2
        if self.treatment == "robust":
            scaled = scaled / np.sqrt(1 + (scaled / 3) ** 2)
        return np.asarray(scaled, np.float32)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Scaling":
        values = {name: tuple(given[name]) for name in ("fill", "center", "scale")}
        knots = tuple((tuple(at), tuple(scores)) for at, scores in given["knots"])
        return cls(given["treatment"], **values, knots=knots)


def fit_scaling(columns: Array, treatment: Treatment) -> Scaling:
    """The scaling of columns (n, d) float64 with NaN for missing; a constant or empty column is scaled to 0."""
    present = [column[~np.isnan(column)] for column in columns.T]
    fill = tuple(float(np.median(column)) if len(column) else 0.0 for column in present)
    fits = [_MEASURES[treatment](column) if len(column) else (0.0, 0.0) for column in present]
    knots = tuple(_knots(column) for column in present) if treatment == "quantile" else ()
    return Scaling(treatment, fill, tuple(c for c, _ in fits), tuple(s for _, s in fits), knots)


def _robust(column: Array) -> tuple[float, float]:
    """Median and the inverse of the quartile distance; of half the range where the quartiles coincide."""
    low, q1, middle, q3, high = (float(q) for q in np.quantile(column / 2, (0, 0.25, 0.5, 0.75, 1)))
    width = q3 - q1 or (high - low) / 2
    return 2 * middle, 0.5 / width if width > TINY else 0.0


def _standard(column: Array) -> tuple[float, float]:
    largest = max(float(np.abs(column).max()), TINY)  # keeps the squares of huge values finite
    mean, spread = float((column / largest).mean()), float((column / largest).std())
    return mean * largest, 1 / (spread * largest) if spread > 1e-9 else 0.0


def _none(column: Array) -> tuple[float, float]:
    return 0.0, 1.0


_MEASURES: dict[Treatment, Callable[[Array], tuple[float, float]]] = {
    "robust": _robust,
    "standard": _standard,
    "quantile": _none,
    "none": _none,
}


def _knots(column: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Quantiles and their normal scores; a value that covers several ranks gets the score of their mean rank."""
    if not len(column):
        return (0.0,), (0.0,)
    values, counts = np.unique(column, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(column)
    by_rank = np.searchsorted(middle, (np.arange(KNOTS) + 0.5) / KNOTS).clip(max=len(values) - 1)
    by_value = np.linspace(0, len(values) - 1, KNOTS).astype(int)  # ranks alone would skip the rare values of a tail
    kept = np.union1d(by_rank, by_value)
    return tuple(values[kept].tolist()), tuple(ndtri(middle[kept]).tolist())
