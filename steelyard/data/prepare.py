"""Tables to arrays: numbers scaled, missing values marked, dates expanded, categories coded; fitted on train rows."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Inputs, TableShape
from steelyard.data.scaling import Scaling, Treatment, fit_scaling
from steelyard.data.selection import chosen
from steelyard.knobs import knob
from steelyard.parts import Preparation

Array = np.ndarray
Date = tuple[str, bool]  # a date column and whether its time of day is used
DATE_PARTS = ("year", "month", "weekday", "day")


@dataclass(frozen=True)
class TablePreparation(Preparation):
    """How the columns of a table become numbers and codes.

    `numbers` is the treatment of number columns (see `Scaling`); `categories` only decides what `matrix` holds.
    `missing` adds a 0/1 column for every number or date column with missing values on train (never under "none",
    where NaN itself is kept). A level of a category needs `min_count` train rows and to be among the `max_levels`
    most frequent ones; the others share code 0 with missing and unseen. `target` = "log" asks the training code to
    learn log(1 + target). Columns in `drop` are left out; `keep` is the share of the others that are inputs: those that
    tell most about the target on their own.
    """

    numbers: Treatment = "quantile"
    categories: Literal["onehot", "ordinal"] = "onehot"
    missing: bool = True
    min_count: int = knob(2, 1)
    max_levels: int = knob(128, 1, 254)  # 254 levels and code 0 fit scikit-learn's histogram boosting
    target: Literal["standard", "log"] = "standard"
    drop: tuple[str, ...] = ()
    keep: float = knob(1.0, 0.01, 1.0)

    def fit(self, dataset: Dataset) -> "FittedTable":
        """The preparation fitted on the rows given: hand it train rows only."""
        frame = _frame(dataset)
        columns = chosen(dataset, self.drop, self.keep)
        names = {kind: tuple(c.name for c in columns if c.kind == kind) for kind in ("number", "date")}
        texts = tuple(c.name for c in columns if c.kind == "category")
        dates = tuple((name, _has_time(frame[name])) for name in names["date"])
        marked = [*names["number"], *names["date"]] if self.missing and self.numbers != "none" else []
        return FittedTable(
            preparation=self,
            numbers=names["number"],
            dates=dates,
            missing=tuple(name for name in marked if frame[name].isna().any()),
            scaling=fit_scaling(_columns(frame, names["number"], dates), self.numbers),
            levels=tuple((name, _levels(frame[name], self.min_count, self.max_levels)) for name in texts),
        )

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "FittedTable":
        """The fitted preparation from its `to_dict`."""
        return FittedTable.from_dict(given)


@dataclass(frozen=True)
class FittedTable:
    """A `TablePreparation` with everything it learnt from train rows; implements `Prepared`."""

    preparation: TablePreparation
    numbers: tuple[str, ...]
    dates: tuple[Date, ...]
    missing: tuple[str, ...]
    scaling: Scaling
    levels: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def shape(self) -> TableShape:
        numbers = len(self.numbers) + len(_date_names(self.dates)) + len(self.missing)
        return TableShape(numbers, tuple(1 + len(levels) for _, levels in self.levels))

    def transform(self, dataset: Dataset) -> Inputs:
        """Numbers float32 (n, d) and codes int64 (n, c); code 0 is missing, unseen or rare."""
        frame = _frame(dataset)
        scaled = self.scaling.apply(_columns(frame, self.numbers, self.dates))
        if self.missing:
            scaled = np.hstack([scaled, frame[list(self.missing)].isna().to_numpy(np.float32)])
        codes = np.zeros((len(frame), len(self.levels)), np.int64)
        for j, (name, levels) in enumerate(self.levels):
            codes[:, j] = pd.Index(levels, dtype=object).get_indexer(pd.Index(frame[name], dtype=object)) + 1
        return scaled, codes

    def matrix(self, dataset: Dataset) -> Array:
        """Float32 (n, features): the numbers, then the codes, or one 0/1 column per level (all 0 for code 0)."""
        numbers, codes = self.transform(dataset)
        if self.preparation.categories == "ordinal":
            return np.hstack([numbers, codes.astype(np.float32)])
        hot = [codes[:, [j]] == np.arange(1, k) for j, k in enumerate(self.shape.cardinalities)]
        return np.hstack([numbers, *(block.astype(np.float32) for block in hot)])

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns of `matrix`."""
        names = (*self.numbers, *_date_names(self.dates), *(f"{name} is missing" for name in self.missing))
        if self.preparation.categories == "ordinal":
            return (*names, *(name for name, _ in self.levels))
        return (*names, *(f"{name} = {level}" for name, levels in self.levels for level in levels))

    @property
    def categorical(self) -> tuple[int, ...]:
        """Which columns of `matrix` hold ordinal codes."""
        ordinal = self.preparation.categories == "ordinal"
        return tuple(self.shape.numbers + j for j in range(len(self.levels))) if ordinal else ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.preparation.kind,
            "preparation": self.preparation.plain(),
            "numbers": list(self.numbers),
            "dates": [list(date) for date in self.dates],
            "missing": list(self.missing),
            "scaling": self.scaling.to_dict(),
            "levels": [[name, list(levels)] for name, levels in self.levels],
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedTable":
        """The fitted preparation from `to_dict`."""
        return cls(
            preparation=TablePreparation.read(given["preparation"]),
            numbers=tuple(given["numbers"]),
            dates=tuple((name, bool(time)) for name, time in given["dates"]),
            missing=tuple(given["missing"]),
            scaling=Scaling.from_dict(given["scaling"]),
            levels=tuple((name, tuple(levels)) for name, levels in given["levels"]),
        )


def _frame(dataset: Dataset) -> pd.DataFrame:
    if dataset.frame is None:
        raise TypeError(f"a table preparation needs a table, '{dataset.name}' holds images")
    return dataset.frame


def _columns(frame: pd.DataFrame, numbers: tuple[str, ...], dates: tuple[Date, ...]) -> Array:
    """The number columns and the expanded dates as float64 (n, d), NaN for missing."""
    plain = frame[list(numbers)].to_numpy(np.float64) if numbers else np.empty((len(frame), 0))
    return np.hstack([plain, *(_expand(frame[name], time) for name, time in dates)])


def _expand(dates: pd.Series, time: bool) -> Array:
    """Year, month, weekday (Monday 0), days since 1970 and, where used, the hour with its fraction: (n, 4 or 5)."""
    since = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
    parts = [dates.dt.year, dates.dt.month, dates.dt.day_of_week, np.floor(since)]
    if time:
        parts.append(since % 1 * 24)
    return np.column_stack([np.asarray(part, np.float64) for part in parts])


def _date_names(dates: tuple[Date, ...]) -> tuple[str, ...]:
    return tuple(f"{name} {part}" for name, time in dates for part in (*DATE_PARTS, *(("hour",) if time else ())))


def _has_time(dates: pd.Series) -> bool:
    return bool((dates.dropna() != dates.dropna().dt.normalize()).any())


def _levels(texts: pd.Series, min_count: int, max_levels: int) -> tuple[str, ...]:
    """The levels that are kept, numeric ones in numeric order."""
    codes, found = pd.factorize(texts.to_numpy(object))
    counts = np.bincount(codes[codes >= 0], minlength=len(found))
    counted = zip(counts.tolist(), found, strict=True)
    frequent = sorted((-count, level) for count, level in counted if count >= min_count)
    return tuple(sorted((level for _, level in frequent[:max_levels]), key=_natural))


def _natural(level: str) -> tuple[float, str]:
    try:
        return float(level), level
    except ValueError:
        return float("inf"), level
