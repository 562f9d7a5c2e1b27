"""One column of a table as numbers: its values, that they are missing, its levels; and components of many numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Array = np.ndarray
Kind = Literal["number", "date", "level", "missing", "word", "component"]
LEVELS = 24  # of a category that have a column of their own, the most frequent ones
RARE = 5  # rows that a level needs to have one


@dataclass(frozen=True, eq=False)
class Block:
    """One feature (n,): its name, whose it is and what it is."""

    name: str
    owner: str
    kind: Kind
    values: Array


def number(name: str, values: pd.Series) -> list[Block]:
    """The values, and where they are missing."""
    return [Block(name, name, "number", values.to_numpy(np.float64)), *_missing(name, values)]


def date(name: str, values: pd.Series) -> list[Block]:
    """Days since 1970; month, weekday (Monday 0) and hour, which may shift when days do not; where it is missing."""
    since = np.asarray((values - pd.Timestamp(0)) / pd.Timedelta(days=1), np.float64)
    parts = {"month": values.dt.month, "weekday": values.dt.day_of_week, "hour": np.floor(since % 1 * 24)}
    cut = [Block(f"{part} of {name}", name, "number", np.asarray(each, np.float64)) for part, each in parts.items()]
    return [Block(name, name, "date", since), *cut, *_missing(name, values)]


def category(name: str, values: pd.Series) -> list[Block]:
    """A column for every frequent level, and one for missing values."""
    codes, levels = pd.factorize(values.to_numpy(object))
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    frequent = [place for place in np.argsort(-counts, kind="stable")[:LEVELS] if counts[place] >= RARE]
    found = [Block(f"{name} = {levels[place]}", name, "level", (codes == place).astype(float)) for place in frequent]
    return [*found, *_missing(name, values)]


def components(owner: str, values: Array, most: int) -> list[Block]:
    """The directions in which rows (n, d) without gaps differ most (principal components), at most so many."""
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    _, lengths, directions = np.linalg.svd(centred.T @ centred / len(centred), hermitian=True)
    kept = directions[:most][lengths[:most] > 1e-9 * max(float(lengths[0]), 1e-300)]
    return [Block(f"{owner} {i}", owner, "component", each) for i, each in enumerate((centred @ kept.T).T, 1)]


def _missing(name: str, values: pd.Series) -> list[Block]:
    absent = values.isna().to_numpy(float)
    return [Block(f"{name} is missing", name, "missing", absent)] if absent.any() else []
