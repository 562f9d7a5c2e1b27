"""Series as they come from any source, and what is done with all of them alike: padded, checked, coded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from steelyard.data.course import lengths
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.duplicates import judge, key_groups
from steelyard.data.layout import UNSAID, Layout
from steelyard.data.mixed_sources import misplaced, source_names, sources_of
from steelyard.data.sources import Mix
from steelyard.data.table_dataset import known_target, require_rows
from steelyard.data.targets import code_target
from steelyard.data.words import counted
from steelyard.errors import UserError

FEWEST = 2  # values of a series: a single point has no course


@dataclass(frozen=True)
class RawSeries:
    """Cases before their target is coded: `values` float32 (n, channels, time), NaN where missing and behind the end.

    `target` has one entry a case, or is None; `named` says that its entries are names of classes, whatever they look
    like; `origin` says per case where it came from, `sources` of which source it is where several are mixed.
    """

    name: str
    values: np.ndarray
    target: pd.Series | None
    channels: tuple[str, ...]
    origin: tuple[str, ...]
    notes: tuple[str, ...] = ()
    named: bool = False
    regression: bool = False
    sources: pd.Series | None = None


def padded(cases: Sequence[np.ndarray], channels: int) -> np.ndarray:
    """float32 (n, channels, time) from cases (channels, their time), NaN behind the end of shorter ones."""
    longest = max((case.shape[1] for case in cases), default=0)
    found = np.full((len(cases), channels, longest), np.nan, np.float32)
    for row, case in zip(found, cases, strict=True):
        row[:, : case.shape[1]] = case
    return found


def series_dataset(
    raw: RawSeries,
    test: RawSeries | None,
    target: str,
    task: str | None,
    layout: Layout = UNSAID,
    mix: Mix | None = None,
) -> Dataset:
    """The data set of training cases and, where given, test cases."""
    require_rows(len(raw.values), raw.name)
    if raw.target is None:
        raise UserError(f"{raw.name} says no class and no value for its series: there is nothing to learn")
    part, notes = None, raw.notes
    if test is not None:
        part = np.array(["train"] * len(raw.values) + ["test"] * len(test.values))
        raw, notes = _joined(raw, test), (*notes, *test.notes, f"{counted(len(test.values), 'test case')}")
    long = ((~np.isnan(raw.values)).sum(axis=(1, 2)) >= FEWEST) & (lengths(raw.values) >= FEWEST)
    notes += _said_short(raw, long)
    raw, part = _kept(raw, long), None if part is None else part[long]
    assert raw.target is not None
    tested = np.zeros(len(raw.values), bool) if part is None else part == "test"
    task = task or ("regression" if raw.regression else None)
    coded = code_target(raw.target, target, task, tested, as_classes=raw.named)
    usable, sources = coded.usable, None
    if mix is not None and raw.sources is not None:
        of = source_names(raw.sources)
        wrong, said = misplaced(of, mix, part)
        usable, notes = usable & ~wrong, (*notes, *said)
    rows = np.flatnonzero(usable)
    require_rows(len(rows), raw.name)
    if not np.any(~tested[rows]):
        raise UserError(f"{raw.name} has no training series: every case is marked as test")
    values = _infinite_missing(raw.values[rows])
    values = values[:, :, : max(1, int(lengths(values).max()))]
    part = None if part is None else part[rows]
    if mix is not None and raw.sources is not None:
        sources, said = sources_of(of[rows], mix, coded.values[rows], part)
        notes = (*notes, *said)
    groups, said = judge(key_groups([case.tobytes() for case in values]), part, "series")
    columns = tuple(Column(name, "number") for name in raw.channels)
    return Dataset(
        name=raw.name,
        schema=Schema("series", target, columns, layout=layout, length=values.shape[2]),
        target=coded.values[rows],
        classes=coded.classes,
        series=values,
        part=part,
        groups=groups,
        sources=sources,
        origin=tuple(raw.origin[i] for i in rows),
        notes=(*notes, *coded.notes, *_said_values(values), *said),
    )


def series_like(raw: RawSeries, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """The cases of a source for a trained model: every case stays, in order."""
    if len(raw.channels) != len(schema.columns):
        raise UserError(
            f"{raw.name} has series of {counted(len(raw.channels), 'channel')}, the model learnt from "
            f"{len(schema.columns)}: give series of the same channels"
        )
    if not len(raw.values):
        raise UserError(f"{raw.name} has no series to predict on")
    empty = np.isnan(raw.values).all(axis=(1, 2))
    if empty.any():
        which = ", ".join(raw.origin[i] for i in np.flatnonzero(empty)[:3])
        raise UserError(f"{counted(int(empty.sum()), 'series')} of {raw.name} have no value at all, as {which}")
    target, said = None, tuple[str, ...]()
    if raw.target is not None:
        labels = pd.Series(pd.Categorical(raw.target.astype(str))) if raw.named and classes else raw.target
        target, said = known_target(labels, schema.target, classes)
    notes = (*raw.notes, *said)
    values = _infinite_missing(raw.values)
    return Dataset(raw.name, schema, target, classes, series=values, origin=raw.origin, notes=notes)


def _joined(raw: RawSeries, test: RawSeries) -> RawSeries:
    """Train and test cases under each other, padded to one length."""
    if test.target is None:
        raise UserError(f"the test source {test.name} says no class and no value for its series")
    if len(test.channels) != len(raw.channels):
        a, b = (counted(len(each.channels), "channel") for each in (raw, test))
        raise UserError(f"{raw.name} has series of {a}, but the test source {test.name} of {b}: expected the same")
    assert raw.target is not None
    values = padded([*raw.values, *test.values], len(raw.channels))
    target = pd.concat([raw.target, test.target], ignore_index=True)
    sources = None if raw.sources is None else pd.concat([raw.sources, test.sources], ignore_index=True)
    origin = (*raw.origin, *(f"test {o}" for o in test.origin))
    return replace(raw, values=values, target=target, origin=origin, sources=sources)


def _kept(raw: RawSeries, which: np.ndarray) -> RawSeries:
    if which.all() or raw.target is None:
        return raw
    rows = np.flatnonzero(which)
    target = raw.target.iloc[rows].reset_index(drop=True)
    sources = None if raw.sources is None else raw.sources.iloc[rows].reset_index(drop=True)
    origin = tuple(raw.origin[i] for i in rows)
    return replace(raw, values=raw.values[rows], target=target, origin=origin, sources=sources)


def _infinite_missing(values: np.ndarray) -> np.ndarray:
    return np.where(np.isinf(values), np.float32(np.nan), values)


def _said_short(raw: RawSeries, long: np.ndarray) -> tuple[str, ...]:
    """What is said of series without a course; UserError when none has one."""
    if long.all():
        return ()
    if not long.any():
        raise UserError(f"every series of {raw.name} has fewer than {FEWEST} values: expected a course over time")
    few = np.flatnonzero(~long)
    shown = ", ".join(raw.origin[i] for i in few[:3]) + (", …" if len(few) > 3 else "")
    return (f"{counted(len(few), 'series', 'series')} set aside: fewer than {FEWEST} values ({shown})",)


def _said_values(values: np.ndarray) -> tuple[str, ...]:
    """Channels, lengths and gaps in words."""
    long = lengths(values)
    low, high = int(long.min()), int(long.max())
    steps = f"{high} steps" if low == high else f"{low} to {high} steps"
    said = [f"series of {counted(values.shape[1], 'channel')} and {steps}"]
    inside = np.arange(values.shape[2]) < long[:, None]
    gaps = int((np.isnan(values) & inside[:, None]).sum())
    if gaps:
        said.append(f"{counted(gaps, 'value')} missing within the series")
    return tuple(said)
