"""What rows have in common: the values of a column, its numbers in bins, parts of its dates, and that it is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["column", "look", "cluster", "class"]
Array = np.ndarray
LEVELS = 12  # of a column that is told by its values, the commonest; one with more numbers is cut into bins
QUARTERS = (0.25, 0.5, 0.75)
TAILS = (0.05, 0.25, 0.5, 0.75, 0.95)  # quarters, the ends of which stand alone
HEAVY = 0.25  # of the numbers that are one and the same from which on it stands alone
DIGITS = 3  # of the spread of a column that the ends of its bins are told in


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition that a row meets or not: `inside` (n,) bool; conditions on one `feature` are never paired."""

    feature: str
    label: str
    inside: Array
    kind: Kind = "column"


def conditions_on(
    name: str, values: pd.Series, cuts: tuple[float, ...] = QUARTERS, kind: Kind = "column"
) -> list[Condition]:
    """The conditions on one column: its commonest values, or bins of its numbers, or parts of its dates; missing."""
    there = values.notna().to_numpy()
    found = []
    if pd.api.types.is_datetime64_any_dtype(values):
        found = list(_of_dates(name, values, kind))
    elif pd.api.types.is_numeric_dtype(values) and values.nunique() > LEVELS:
        found = list(_of_numbers(name, values.to_numpy(dtype=float), cuts, kind))
    else:
        found = list(_of_values(name, name, values, kind))
    if not there.all() and there.any():
        found.append(Condition(name, f"{name} is missing", ~there, kind))
    return found


def _of_values(feature: str, name: str, values: pd.Series, kind: Kind) -> Iterator[Condition]:
    for level in values.value_counts().index[:LEVELS]:
        shown = f"{level:.6g}" if isinstance(level, float) else str(level)
        inside = (values == level).fillna(False).to_numpy(dtype=bool)
        yield Condition(feature, f"{name} = {shown}", inside, kind)


def _of_dates(name: str, values: pd.Series, kind: Kind) -> Iterator[Condition]:
    """Years, months, days of the week and hours, where dates differ in them."""
    parts = {
        "year": values.dt.year.astype("Int64"),
        "month": values.dt.strftime("%m %b"),
        "weekday": values.dt.day_name(),
        "hour": values.dt.hour.astype("Int64"),
    }
    for part, each in parts.items():
        if each.nunique() > 1:
            yield from _of_values(name, f"{part} of {name}", each, kind)


def _of_numbers(name: str, values: Array, cuts: tuple[float, ...], kind: Kind) -> Iterator[Condition]:
    """Bins between quantiles; a number that very many rows have stands alone, and the bins are those of the others."""
    known = values[np.isfinite(values)]
    different, counts = np.unique(known, return_counts=True)
    for number in different[counts >= HEAVY * len(known)]:
        yield Condition(name, f"{name} = {number:.6g}", values == number, kind)
    heavy = np.isin(values, different[counts >= HEAVY * len(known)])
    rest = values[np.isfinite(values) & ~heavy]
    if len(np.unique(rest)) < 2:
        return
    ends = np.unique(_rounded(np.quantile(rest, cuts), float(np.ptp(np.quantile(rest, (0.05, 0.95))))))
    ends = ends[(ends >= rest.min()) & (ends < rest.max())]
    for low, high in zip([None, *ends], [*ends, None], strict=True) if len(ends) else ():
        inside = np.isfinite(values) & ~heavy
        inside &= True if low is None else values > low
        inside &= True if high is None else values <= high
        left, right = "" if low is None else f"{low:.10g} < ", "" if high is None else f" ≤ {high:.10g}"
        yield Condition(name, f"{left}{name}{right}" if right else f"{name} > {low:.10g}", inside, kind)


def _rounded(ends: Array, spread: float) -> Array:
    """The ends of bins with no more digits than their spread asks for, so that they are told as they are."""
    places = DIGITS - 1 - floor(log10(spread)) if spread > 0 and np.isfinite(spread) else 6
    return np.round(ends, places)
