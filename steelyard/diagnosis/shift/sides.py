"""Two frames or arrays as two data sets with the same columns."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.untargeted import read_untargeted
from steelyard.errors import UserError


def data_sets(one: Any, other: Any, one_target: Any, other_target: Any) -> tuple[Dataset, Dataset]:
    """Both sides as data sets with the same columns: as they come, or frames and arrays read together."""
    if isinstance(one, Dataset) and isinstance(other, Dataset):
        return one, other
    if isinstance(one, Dataset) or isinstance(other, Dataset):
        raise UserError("give two data sets, or two frames or arrays: not one of each")
    if len(one) == 0 or len(other) == 0:
        raise UserError("a side has no rows: there is nothing to compare")
    both = [np.asarray(each) if isinstance(each, list) and not _strings(each) else each for each in (one, other)]
    if isinstance(both[0], np.ndarray) and both[0].ndim >= 3:
        zeros = [np.zeros(len(each)) for each in both]
        zeros[0][0] = 1.0  # a target is no part of the comparison, but reading images asks for one
        data = read((both[0], zeros[0]), None, test=(both[1], zeros[1]), task="regression")
    else:
        data = read_untargeted(_frame(both[0]), _frame(both[1]))
    data = replace(data, target=None, classes=())
    assert data.part is not None
    sides = [data.take(np.flatnonzero(data.part == part)) for part in ("train", "test")]
    if one_target is None or other_target is None:
        return sides[0], sides[1]
    return _with_targets(sides, (one_target, other_target))


def _with_targets(sides: list[Dataset], targets: tuple[Any, Any]) -> tuple[Dataset, Dataset]:
    values = [np.asarray(each) for each in targets]
    for data, each in zip(sides, values, strict=True):
        if each.shape != (len(data),):
            raise UserError(f"a target has shape {each.shape}: expected one value for each of {len(data)} rows")
    whole = np.concatenate([np.asarray(each, object) for each in values])
    numeric = all(np.issubdtype(each.dtype, np.number) for each in values)
    if numeric and (len(pd.unique(whole)) > 20 or any(np.issubdtype(each.dtype, np.floating) for each in values)):
        coded = [np.asarray(each, np.float64) for each in values]
        return replace(sides[0], target=coded[0]), replace(sides[1], target=coded[1])
    codes, classes = pd.factorize(pd.Series(whole).astype(str), sort=True)
    named, cut = tuple(map(str, classes)), len(values[0])
    return (
        replace(sides[0], target=codes[:cut], classes=named),
        replace(sides[1], target=codes[cut:], classes=named),
    )


def _frame(values: Any) -> Any:
    if (isinstance(values, np.ndarray) and values.ndim == 1) or _strings(values):
        return pd.DataFrame({"text" if _strings(values) else "value": list(values)})
    return pd.DataFrame(values).add_prefix("column_") if isinstance(values, np.ndarray) else values


def _strings(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and isinstance(values[0], str)
