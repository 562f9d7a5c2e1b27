"""The y of a pair (X, y) as named columns: one target, a matrix of several, or lists of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from steelyard.errors import UserError


def target_frame(y: Any, target: str | int | Sequence[str | int] | None, default: str = "y") -> pd.DataFrame:
    """The targets as columns, named as `target` says, else as they come, else `default` (with a number from 0)."""
    wanted = _named(target)
    if hasattr(y, "to_pandas"):
        y = y.to_pandas()
    if isinstance(y, pd.Series):
        name = wanted[0] if len(wanted) == 1 else str(y.name or default)
        return pd.DataFrame({name: y.reset_index(drop=True)})
    if isinstance(y, pd.DataFrame):
        own = [str(name) for name in y.columns]
        return y.reset_index(drop=True).set_axis(_names(own, wanted, own), axis=1)
    if _lists(y):
        lists = pd.Series([list(each) for each in y], dtype=object)
        return pd.DataFrame({wanted[0] if len(wanted) == 1 else default: lists})
    values = np.asarray(y)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise UserError(f"y needs one value for each row, or one for each target of a row, got shape {values.shape}")
    count = values.shape[1]
    own = [default] if count == 1 else [f"{default}{k}" for k in range(count)]
    return pd.DataFrame(values, columns=_names(own, wanted, own))


def _named(target: str | int | Sequence[str | int] | None) -> list[str]:
    if target is None or isinstance(target, int):
        return []
    return [target] if isinstance(target, str) else [str(each) for each in target]


def _names(own: list[str], wanted: list[str], default: list[str]) -> list[str]:
    """The names wanted, where there are as many as targets; otherwise the targets keep their own."""
    if len(wanted) == 1 and len(own) > 1 and wanted[0].count(",") == len(own) - 1:
        wanted = wanted[0].split(",")
    if wanted and len(wanted) != len(own):
        raise UserError(f"y has {len(own)} targets, but {len(wanted)} are named: name as many")
    return wanted or default


def _lists(y: Any) -> bool:
    """Whether y is a list of lists of labels: of unequal lengths, sets, or texts."""
    if (
        not isinstance(y, list | tuple)
        or not y
        or not all(isinstance(each, list | tuple | set | frozenset) for each in y)
    ):
        return False
    sets = any(isinstance(each, set | frozenset) for each in y)
    return sets or len({len(each) for each in y}) > 1 or any(isinstance(label, str) for each in y for label in each)
