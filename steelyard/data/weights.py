"""How much each row counts in every metric, from a column of the table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from steelyard.data.columns import is_number, mostly_numbers, numbers, to_levels
from steelyard.data.targets import Target
from steelyard.data.words import counted
from steelyard.errors import UserError


def row_weights(
    values: pd.Series, name: str, coded: Target, tested: np.ndarray, origin: Sequence[str]
) -> tuple[np.ndarray, str]:
    """The weights of the rows with a usable target, float64, with what is said about them.

    UserError where a row has none from 0 upwards, and where all weights of a part or a class are zero. `tested` (n,)
    marks the rows of a ready test, `origin` names every row.
    """
    found = _numbers(values, name)
    _refuse(np.isnan(found) & coded.usable, name, "holds no number", origin)
    _refuse((found < 0) & coded.usable, name, "is negative", origin)
    parts = {"": coded.usable, " of the test": coded.usable & tested, " outside the test": coded.usable & ~tested}
    classes = {f" of class '{label}'": coded.usable & (coded.values == k) for k, label in enumerate(coded.classes)}
    _require_weight(found, name, parts | classes)
    weights = found[coded.usable]
    return weights, _said(weights, name)


def _require_weight(weights: np.ndarray, name: str, parts: dict[str, np.ndarray]) -> None:
    """UserError when all weights of a part (its rows, (n,) bool) are zero: it could not be scored."""
    for what, rows in parts.items():
        if rows.any() and not weights[rows].any():
            many = counted(int(rows.sum()), "row")
            raise UserError(f"weights in column '{name}' are zero in all {many}{what}: some must be above 0")


def _numbers(values: pd.Series, name: str) -> np.ndarray:
    if not is_number(values):
        levels = to_levels(values)
        if levels is None or not mostly_numbers(levels):
            some = ", ".join(f"'{text}'" for text in (levels.texts[:3] if levels else ())) or "other objects"
            raise UserError(f"weights are numbers from 0, but column '{name}' holds {some}: name another column")
    return numbers(values).values


def _refuse(wrong: np.ndarray, name: str, what: str, origin: Sequence[str]) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        where = f"{counted(len(rows), 'row')} (the first: {origin[rows[0]]})"
        raise UserError(
            f"weights are numbers from 0, but column '{name}' {what} in {where}: correct it or leave such rows out"
        )


def _said(weights: np.ndarray, name: str) -> str:
    alike = weights.sum() ** 2 / (weights**2).sum()  # Kish's effective sample size
    return (
        f"column '{name}' weights the rows in every metric, from {weights.min():g} to {weights.max():g}: they say as "
        f"much as {alike:,.0f} of {len(weights):,} rows that count alike; the training loss is not weighted"
    )
