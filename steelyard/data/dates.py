"""Dates written as text: the format is found on the training rows and used again for prediction."""

import re
import warnings

import numpy as np
import pandas as pd

DAYS: tuple[str, ...] = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
)
DAYS += ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%b %Y", "%Y.%m.%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
ENOUGH = 0.95  # of the values must be dates of one format
ISO = "ISO8601"
_ISO_LIKE = re.compile(r"\d{4}-\d{1,2}(-\d{1,2}([ T].*)?)?|\d{8}T.*")


def find_format(texts: list[str]) -> str:
    """The format that reads nearly all of the texts ("" when none does); month first where both orders fit."""
    some = texts if len(texts) <= 200 else [texts[i] for i in np.linspace(0, len(texts) - 1, 200).astype(int)]
    if not some or sum(any(map(str.isdigit, text)) and 6 <= len(text) <= 40 for text in some) < ENOUGH * len(some):
        return ""
    if sum(_ISO_LIKE.fullmatch(text) is not None for text in some) >= ENOUGH * len(some):
        return ISO if _share(texts, ISO) >= ENOUGH else ""
    clocks = CLOCKS if any(":" in text for text in some) else CLOCKS[:1]
    formats = [day + clock for day in DAYS for clock in clocks]
    likely = sorted((f for f in formats if _share(some, f) >= ENOUGH), key=lambda f: -_share(texts, f))
    return likely[0] if likely and _share(texts, likely[0]) >= ENOUGH else ""


def ambiguous(texts: list[str], form: str) -> bool:
    """Whether the texts could as well be read with day and month exchanged."""
    if "%d" not in form or "%m" not in form or form.startswith("%Y"):
        return False
    other = form.translate(str.maketrans("dm", "md"))
    return _share(texts, other) == _share(texts, form)


def parse_dates(texts: list[str], form: str) -> np.ndarray:
    """datetime64[ns] of the texts, NaT where one is no date of that format or lies outside 1678 to 2262."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas comments on formats it would rather infer
        dates = pd.to_datetime(pd.Series(texts, dtype=object), format=form, errors="coerce", utc=True)
    return nanoseconds(dates)


def nanoseconds(dates: pd.Series) -> np.ndarray:
    """datetime64[ns] in UTC without a zone; what does not fit becomes NaT."""
    if getattr(dates.dt, "tz", None) is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    values = dates.to_numpy()
    low, high = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")
    inside = (values >= low) & (values < high)
    return np.where(inside, values, np.datetime64("NaT")).astype("datetime64[ns]")


def _share(texts: list[str], form: str) -> float:
    return float(np.mean(~np.isnat(parse_dates(texts, form)))) if texts else 0.0
