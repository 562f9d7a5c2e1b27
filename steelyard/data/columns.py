"""Raw columns to typed ones: what each column is, and its values in the form of `Dataset.frame`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column
from steelyard.data.dates import ambiguous, find_format, nanoseconds, parse_dates
from steelyard.data.delimited import MISSING

NUMBER = 0.9  # of the present values must be numbers for the rest to count as missing
UNIQUE = 0.95  # different values per row from which texts are ids (or free text)
REPEATED = 0.5  # different values per row below which texts are categories, however long they are
WORDS, LETTERS = 5, 50  # a mean length from which texts that seldom repeat are free text
NAMED = re.compile(r"[^\d_]*[^\W\d_]{2}[^\d_]*")  # words without a number in them, as ids have one
ID_NAME = re.compile(
    r"(.*[ _.-])?(id|uid|uuid|guid|pid|index|idx|key|row|rownum|no|nr|order|instant|serial)|unnamed: \d+", re.I
)
CAMEL_ID = re.compile(r".*[a-z](ID|Id)")  # customerId, but neither paid nor grid


@dataclass(frozen=True)
class Levels:
    """A column of texts as codes (n,) into its different texts; -1 where a value is missing."""

    codes: np.ndarray
    texts: list[str]

    @property
    def counts(self) -> np.ndarray:
        """How often each text occurs."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    @property
    def present(self) -> int:
        """How many values are not missing."""
        return int((self.codes >= 0).sum())


@dataclass(frozen=True)
class Converted:
    """Typed values with what was lost on the way: texts that did not fit and infinite numbers."""

    values: np.ndarray
    strays: dict[str, int]
    infinite: int = 0


@dataclass(frozen=True)
class Verdict:
    """What a column is: the typed column, or why it is left out; `note` says an inference worth telling."""

    column: Column | None
    reason: str = ""
    note: str = ""
    spare: bool = False  # an id only by its numbers: used after all when nothing else is left
    phrases: bool = False  # words or names that hardly repeat: a text, when nothing else is left


def decide(name: str, values: pd.Series) -> Verdict:
    """What a raw column is, judged by the given (training) rows."""
    if is_date(values):
        dates = pd.Series(nanoseconds(values)).dropna()
        return _unless_dull(Verdict(Column(name, "date")), dates.nunique(), len(dates), len(values))
    if is_number(values):
        return _decide_number(name, numbers(values).values)
    levels = to_levels(values)
    if levels is None:
        return Verdict(None, "holds lists or other objects, not plain values")
    return _decide_text(name, levels, values)


def convert(values: pd.Series, column: Column) -> Converted:
    """The values of a raw column in the form its kind has in `Dataset.frame`, whatever type they come in."""
    if column.kind == "number":
        return numbers(values)
    if column.kind == "date":
        return _dates(values, column.format)
    return Converted(categories(values), {})


def numbers(values: pd.Series) -> Converted:
    """float64 with NaN for what is missing, is no number or is infinite."""
    if is_number(values):
        if pd.api.types.is_timedelta64_dtype(values):
            values = values.dt.total_seconds()
        found = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
        strays: dict[str, int] = {}
    else:
        levels = to_levels(values) or Levels(np.full(len(values), -1), [])
        table = _numbers_of(levels.texts)
        counts = levels.counts
        strays = {t: int(c) for t, c, x in zip(levels.texts, counts, table, strict=True) if np.isnan(x) and c}
        found = np.append(table, np.nan)[levels.codes]
    infinite = np.isinf(found)
    return Converted(np.where(infinite, np.nan, found), strays, int(infinite.sum()))


def categories(values: pd.Series) -> np.ndarray:
    """str objects with None for missing; whole numbers are written without a point."""
    if is_number(values):
        values = pd.Series(texts_of_numbers(values.to_numpy(dtype=np.float64, na_value=np.nan)), dtype=object)
    levels = to_levels(values) or Levels(np.full(len(values), -1), [])
    return np.asarray(np.array([*levels.texts, None], dtype=object)[levels.codes])


def texts_of_numbers(values: Iterable[float]) -> list[str | None]:
    """Numbers as texts: `3` for 3.0, None for NaN."""
    return [None if x != x else str(int(x)) if abs(x) < 1e15 and x == int(x) else repr(float(x)) for x in values]


def to_levels(values: pd.Series) -> Levels | None:
    """The different texts of a column, stripped, with NA-like words as missing; None when values are no scalars."""
    try:
        codes, uniques = pd.factorize(values)
    except TypeError:
        return None
    cleaned = [_text(value) for value in uniques]
    if any(text is None for text in cleaned):
        return None
    if _quoted(cleaned):
        cleaned = [text[1:-1] if text else text for text in cleaned]
    kept = sorted({text for text in cleaned if text is not None and text not in MISSING})
    place: dict[str | None, int] = {text: i for i, text in enumerate(kept)}
    table = np.array([place.get(text, -1) for text in cleaned] + [-1], dtype=np.int64)
    return Levels(table[codes], kept)


def is_number(values: pd.Series) -> bool:
    """Whether the column comes as numbers (bool does not count)."""
    kind = pd.api.types
    if kind.is_bool_dtype(values.dtype) or isinstance(values.dtype, pd.CategoricalDtype):
        return False
    return (kind.is_numeric_dtype(values.dtype) and not kind.is_complex_dtype(values.dtype)) or (
        kind.is_timedelta64_dtype(values.dtype)
    )


def is_date(values: pd.Series) -> bool:
    """Whether the column comes as dates."""
    return bool(pd.api.types.is_datetime64_any_dtype(values.dtype))


def missing(values: np.ndarray) -> np.ndarray:
    """Where typed values are missing (n,)."""
    return np.asarray(pd.isna(values))


def mostly_numbers(levels: Levels) -> bool:
    """Whether nearly all present texts are numbers."""
    fits = ~np.isnan(_numbers_of(levels.texts))
    return levels.present > 0 and levels.counts[fits].sum() >= NUMBER * levels.present


def _decide_number(name: str, values: np.ndarray) -> Verdict:
    present = values[~np.isnan(values)]
    different = len(np.unique(present))
    verdict = Verdict(Column(name, "number"))
    if different > 1 and different >= UNIQUE * len(values) and np.all(present == np.floor(present)):
        # ids of which some rows are missing (another part, no target) still fill much of their range
        span = present.max() - present.min() + 1
        sequence = different == len(values) and span <= (2 if different >= 20 else 1) * different
        if sequence or ID_NAME.fullmatch(name) or CAMEL_ID.fullmatch(name):
            reason = f"looks like an id ({different} different values in {len(values)} rows)"
            return Verdict(Column(name, "number"), reason, spare=True)
    return _unless_dull(verdict, different, len(present), len(values))


def _decide_text(name: str, levels: Levels, values: pd.Series) -> Verdict:
    declared = isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(values.dtype)
    if not declared and mostly_numbers(levels):
        return _decide_number(name, numbers(values).values)
    texts, present = levels.texts, levels.present
    form = "" if declared else find_format(texts)
    if form:
        unsure = "; day and month could be exchanged" if ambiguous(texts, form) else ""
        note = f"column '{name}' holds dates ({'ISO 8601' if form == 'ISO8601' else form}{unsure})"
        return _unless_dull(Verdict(Column(name, "date", form), note=note), len(texts), present, len(values))
    if declared or present < 10 or len(texts) < REPEATED * present:
        return _unless_dull(Verdict(Column(name, "category")), len(texts), present, len(values))
    return _decide_wordy(name, texts, present)


def _decide_wordy(name: str, texts: list[str], present: int) -> Verdict:
    """What texts are that seldom repeat: free text, an id of its own on nearly every row, or categories still."""
    some = texts[:: max(1, len(texts) // 1000)]
    words = np.mean([len(text.split()) for text in some])
    letters = np.mean([len(text) for text in some])
    if words >= WORDS or letters >= LETTERS:
        return Verdict(Column(name, "text"))
    phrases = np.mean([bool(NAMED.fullmatch(text)) for text in some]) >= NUMBER
    if len(texts) < UNIQUE * present:
        return Verdict(Column(name, "category"), phrases=bool(phrases))
    return Verdict(None, f"looks like an id ({len(texts)} different values in {present} rows)", phrases=bool(phrases))


def _unless_dull(verdict: Verdict, different: int, present: int, rows: int) -> Verdict:
    if present == 0:
        return Verdict(None, "is empty")
    if different == 1 and present == rows:
        return Verdict(None, "holds one value only")
    return verdict


def _dates(values: pd.Series, form: str) -> Converted:
    if is_date(values):
        return Converted(nanoseconds(values), {})
    levels = to_levels(values) or Levels(np.full(len(values), -1), [])
    form = form or find_format(levels.texts) or "ISO8601"
    table = parse_dates(levels.texts, form)
    strays = {t: int(c) for t, c, d in zip(levels.texts, levels.counts, table, strict=True) if np.isnat(d) and c}
    return Converted(np.append(table, np.datetime64("NaT", "ns"))[levels.codes], strays)


def _numbers_of(texts: list[str]) -> np.ndarray:
    return np.asarray(pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), dtype=np.float64)


def _text(value: Any) -> str | None:
    """A scalar as stripped text; None for what is no scalar."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return next(iter(texts_of_numbers([float(value)]))) or ""
    if isinstance(value, Decimal) or hasattr(value, "isoformat"):
        return str(value)
    return None


def _quoted(texts: list[str | None]) -> bool:
    """Whether all texts stand in single quotes, as ARFF writes them."""
    present = [text for text in texts if text and text not in MISSING]
    return bool(present) and all(len(t) > 2 and t[0] == t[-1] == "'" for t in present)
