"""Time stamps of series: dates of any format, zones brought to one, or plain numbers."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steelyard.data.columns import is_date, is_number, mostly_numbers, numbers, to_levels
from steelyard.data.dates import ambiguous, find_format, nanoseconds, parse_dates
from steelyard.data.words import counted
from steelyard.errors import UserError

ZONE = re.compile(r"(?:[T\d])\s*(Z|UTC|[+-]\d{2}:?\d{2})$")
DAY = 86_400e9  # nanoseconds


@dataclass(frozen=True)
class Times:
    """`values` (n,) int64 nanoseconds of dates, or float64 numbers; `texts` (n,) as a person writes them."""

    values: np.ndarray
    texts: np.ndarray
    dates: bool
    notes: tuple[str, ...] = ()


def read_times(values: pd.Series, name: str, source: str) -> Times:
    """The time of every row. UserError where one is missing or cannot be read, or zones are given for some only."""
    notes: tuple[str, ...] = ()
    if is_date(values):
        if getattr(values.dt, "tz", None) is not None and str(values.dt.tz) != "UTC":
            notes = (f"time '{name}' is in the zone {values.dt.tz}: brought to UTC",)
        found = nanoseconds(values)
        _refuse(np.isnat(found), name, source, "is missing")
        return Times(found.astype(np.int64), _written(found), True, notes)
    levels = None if is_number(values) else to_levels(values)
    if is_number(values) or (levels is not None and mostly_numbers(levels)):
        plain = numbers(values).values
        _refuse(np.isnan(plain), name, source, "is missing or no number")
        return Times(plain, np.array([f"{v:g}" for v in plain], dtype=object), False)
    if levels is None:
        raise UserError(f"time '{name}' of {source} holds neither dates nor numbers")
    form = find_format(levels.texts)
    if not form:
        some = ", ".join(f"'{text}'" for text in levels.texts[:3])
        raise UserError(f"time '{name}' of {source} holds neither dates nor numbers ({some}): write it as 2024-12-31")
    if form != "ISO8601":
        unsure = "; day and month could be exchanged" if ambiguous(levels.texts, form) else ""
        notes = (f"time '{name}' is written as {form}{unsure}",)
    notes += _said_zones(levels.texts, name, source)
    found = np.append(parse_dates(levels.texts, form), np.datetime64("NaT", "ns"))[levels.codes]
    _refuse(np.isnat(found), name, source, "is missing or no date")
    return Times(found.astype(np.int64), _written(found), True, notes)


def _said_zones(texts: list[str], name: str, source: str) -> tuple[str, ...]:
    zones = [found.group(1) if (found := ZONE.search(text)) and ":" in text else "" for text in texts]
    there = sorted(set(zones) - {""})
    if not there:
        return ()
    if "" in zones:
        bare = texts[zones.index("")]
        raise UserError(
            f"time '{name}' of {source} has a zone in some rows ({there[0]}) and none in others (as '{bare}'): "
            "give all of them one, or none"
        )
    if len(there) > 1:
        return (f"time '{name}' is in {len(there)} zones ({', '.join(there[:3])}): all brought to UTC",)
    return () if there[0] in {"Z", "UTC", "+00:00", "+0000"} else (f"time '{name}' is brought to UTC",)


def _refuse(wrong: np.ndarray, name: str, source: str, what: str) -> None:
    if wrong.any():
        rows = counted(int(wrong.sum()), "row")
        first = int(np.flatnonzero(wrong)[0]) + 1
        raise UserError(f"time '{name}' of {source} {what} in {rows} (the first: {first}): complete or remove them")


def _written(found: np.ndarray) -> np.ndarray:
    """Dates as texts, without a clock where none of them has one."""
    whole = not len(found) or bool(np.all(found.astype(np.int64) % int(DAY) == 0))
    return np.datetime_as_string(found, unit="D" if whole else "s").astype(object)


@dataclass(frozen=True)
class Sorted:
    """Rows of a table by id and time: `order` (n,) sorts them, `begins` are the places in it where an id begins.

    `names` are the ids in the order in which they appear in the table.
    """

    order: np.ndarray
    begins: np.ndarray
    names: tuple[str, ...]
    notes: tuple[str, ...]

    def parts(self) -> list[np.ndarray]:
        """The row numbers of each id, in the order of time."""
        return np.split(self.order, self.begins[1:])


def sort_rows(ids: pd.Series | None, times: Times, id_name: str, time_name: str, source: str) -> Sorted:
    """Rows by id and time. UserError where an id is missing, or is there twice at one time."""
    count = len(times.values)
    if ids is None:
        codes, names = np.zeros(count, np.int64), tuple[str, ...](("",))
    else:
        levels, labels = pd.factorize(ids)
        if (levels < 0).any():
            raise UserError(f"id '{id_name}' of {source} is missing in {counted(int((levels < 0).sum()), 'row')}")
        codes, names = levels.astype(np.int64), tuple(str(label) for label in labels)
    order = np.lexsort((times.values, codes))
    same = (np.diff(codes[order]) == 0) & (np.diff(times.values[order]) == 0)
    if same.any():
        row = order[int(np.flatnonzero(same)[0]) + 1]
        whose = f"id '{names[codes[row]]}'" if ids is not None else f"column '{time_name}'"
        why = "name the column that tells series apart as id" if ids is None else "ids clash, or rows are there twice"
        raise UserError(
            f"{source}: {whose} has {counted(int(same.sum()) + 1, 'row')} at a time there is one already, as "
            f"{times.texts[row]}: {why}"
        )
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1) != 0)
    stirred = bool((np.diff(times.values[np.argsort(codes, kind="stable")])[np.diff(np.sort(codes)) == 0] < 0).any())
    notes = (f"time stamps of {source} are not in order: rows are sorted by '{time_name}'",) if stirred else ()
    return Sorted(order, begins, names, notes)
