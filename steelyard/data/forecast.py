"""A table over time to the windows of a forecast: what was known until then, and what came `horizon` steps later.

A window holds values at or before the moment the forecast is made, never later ones. Beside the target and the other
columns of numbers it holds the target one season before the step that is asked for, where there is a season.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from steelyard.data.columns import convert, decide, is_number, mostly_numbers, to_levels
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.layout import Layout
from steelyard.data.long_tables import named
from steelyard.data.mixed_sources import completed, located, misplaced, source_names, sources_of
from steelyard.data.prepare_series import SEASON, last_values
from steelyard.data.season import find_period
from steelyard.data.sources import Mix, Sources
from steelyard.data.split import TEST_SHARE, divide
from steelyard.data.table_dataset import require_rows
from steelyard.data.tables import RawTable, position, select
from steelyard.data.times import Sorted, Times, read_times, sort_rows
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest

Array = np.ndarray
WINDOW, WIDEST = 30, 64  # steps of the past: two seasons where they fit, else as many as a month has days
SHARE = 4  # of a series that a window may be, at most: a quarter


@dataclass(frozen=True)
class Track:
    """One series in the order of time: `values` (columns, time) with the target first, its row numbers and times.

    `ranks` (time,) number the times of the whole table; `spacing` is the median step in nanoseconds where there are
    dates.
    """

    name: str
    values: Array
    rows: Array
    ranks: Array
    texts: Array
    spacing: float | None = None


@dataclass(frozen=True)
class Windows:
    """`series` (n, channels, window), the `target` (n,) with NaN where it is not known yet, and `order` (n, 2)."""

    series: Array
    target: Array
    order: Array
    origin: tuple[str, ...]
    rows: Array  # of the table, that hold the target; -1 where it is not known yet


def forecast_dataset(
    table: RawTable,
    target: str | int,
    test: RawTable | None,
    task: str | None,
    exclude: Sequence[str],
    layout: Layout,
    mix: Mix | None = None,
) -> Dataset:
    """The data set of all windows of a table whose target is known; rows of a test table follow those of the table."""
    if task not in {None, "regression"}:
        raise UserError(f"a forecast predicts numbers, task '{task}' asks for classes: leave task or horizon out")
    require_rows(len(table.frame), table.name)
    layout, name = named(table, layout), position(table, target)
    layout, notes = _with_time(table, layout, name)
    if mix is not None:
        mix = located(mix, table, {name, *(key for key in (layout.id, layout.time) if key)}, exclude)
        test = None if test is None else completed(mix, test)
    columns, said = _columns(table, name, layout, [*exclude, *([] if mix is None else [str(mix.column)])])
    whole, tested = _appended(table, test, [name, *(c.name for c in columns[1:])], layout)
    tracks, told = read_tracks(whole, columns, layout)
    if test is not None:
        _require_later(tracks, tested, test.name)
    layout, seen = _settled(tracks, tested, layout, whole.name)
    found = windows(tracks, layout, known=True)
    require_rows(len(found.target), f"{table.name}, cut into windows of {layout.window} steps,")
    channels = (*columns, *_season(name, layout))
    ahead = counted(int(layout.horizon or 1), "step")
    size = f"{counted(len(found.target), 'window')} of {layout.window} steps, {ahead} ahead"
    part = np.where(tested[found.rows], "test", "train") if test is not None else None
    sources = None
    if mix is not None:
        found, part, sources, told_sources = _mixed(found, part, mix, table, test)
        said = (*said, *told_sources)
    return Dataset(
        name=table.name,
        schema=Schema("series", name, channels, layout=layout, length=int(layout.window or 0)),
        target=found.target,
        series=found.series,
        order=found.order,
        part=part,
        origin=found.origin,
        sources=sources,
        notes=(*table.notes, *notes, *told, *said, *seen, size, _said_range(found.target, name)),
    )


def _mixed(
    found: Windows, part: Array | None, mix: Mix, table: RawTable, test: RawTable | None
) -> tuple[Windows, Array | None, Sources, tuple[str, ...]]:
    """The windows that may stay with their parts and sources: the source is that of the row to be forecast."""
    column = str(mix.column)
    names = source_names(pd.concat([each.frame[column] for each in (table, test) if each is not None]))[found.rows]
    wrong, said = misplaced(names, mix, part)
    kept = np.flatnonzero(~wrong)
    if wrong.any():
        found = Windows(
            found.series[kept],
            found.target[kept],
            found.order[kept],
            tuple(found.origin[row] for row in kept),
            found.rows[kept],
        )
        part = None if part is None else part[kept]
    sources, told = sources_of(names[kept], mix, found.target, part)
    return found, part, sources, (*said, *told)


def forecast_like(table: RawTable, schema: Schema) -> Dataset:
    """Every window of a table, the last ones with a future that nobody knows yet."""
    layout, columns = schema.layout, schema.columns[: len(schema.columns) - bool(schema.layout.period)]
    tracks, notes = read_tracks(table, columns, layout)
    found = windows(tracks, layout, known=False)
    if not len(found.series):
        least = _least(layout)
        raise UserError(
            f"{table.name} is too short for a forecast: the model looks at {least} steps, the longest series there has "
            f"{max(len(track.rows) for track in tracks)}"
        )
    target = None if np.isnan(found.target).any() else found.target
    return Dataset(table.name, schema, target, series=found.series, order=found.order, origin=found.origin, notes=notes)


def naive_step(dataset: Dataset, seed: int) -> float | None:
    """What the last value (with a season: the one a season before) errs by on the average before the test.

    None where the data set is no forecast.
    """
    if not dataset.schema.layout.forecasts:
        return None
    assert dataset.series is not None and dataset.target is not None
    _, pool, _ = divide(dataset, seed)
    said = dataset.series[pool, -1, -1] if dataset.schema.layout.period else last_values(dataset.series[pool, 0])
    return float(np.abs(dataset.target[pool] - said).mean()) or 1.0


# -- reading ------------------------------------------------------------------------------------------------------


def _with_time(table: RawTable, layout: Layout, target: str) -> tuple[Layout, tuple[str, ...]]:
    """The layout with the column of time: the one that was named, or the only one with dates."""
    if layout.time is not None:
        return layout, ()
    kinds = {name: decide(name, table.frame[name]).column for name in table.frame.columns if name != target}
    dates = [name for name, kind in kinds.items() if kind is not None and kind.kind == "date"]
    if len(dates) == 1:
        return replace(layout, time=dates[0]), (f"time is column '{dates[0]}', the only one with dates",)
    if layout.id is not None:
        raise UserError(f"{table.name} holds several series: name the column that says their order as time")
    return layout, ("no column says the time: rows are taken in the order in which they come",)


def _columns(
    table: RawTable, target: str, layout: Layout, exclude: Sequence[str]
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The target and the other columns of numbers, and what is said of the rest."""
    for column in exclude:
        if column == target or column not in table.frame.columns:
            why = "it is the target" if column == target else f"it is not in {table.name}"
            raise UserError(f"cannot exclude '{column}': {why}{suggest(column, table.frame.columns)}")
    if target in {layout.id, layout.time}:
        raise UserError(f"the target cannot be '{target}': it is the id or the time")
    levels = to_levels(table.frame[target])
    if not is_number(table.frame[target]) and not (levels and mostly_numbers(levels)):
        some = ", ".join(f"'{text}'" for text in (levels.texts[:3] if levels else ()))
        raise UserError(f"a forecast needs a target of numbers, but '{target}' holds {some or 'other objects'}")
    taken = {target, layout.id, layout.time, *exclude}
    rest = [column for column in table.frame.columns if column not in taken]
    kinds = {column: decide(column, table.frame[column]).column for column in rest}
    used = [kind for kind in kinds.values() if kind is not None and kind.kind == "number"]
    left = ", ".join(f"'{column}'" for column, kind in kinds.items() if kind is None or kind.kind != "number")
    inputs = ", ".join(f"'{column.name}'" for column in used)
    said = [f"inputs are the past of '{target}'" + (f" and of {inputs}" if inputs else "")]
    said += [f"left out, holding no numbers over time: {left}"] if left else []
    return (Column(target, "number"), *used), tuple(said)


def _appended(table: RawTable, test: RawTable | None, wanted: list[str], layout: Layout) -> tuple[RawTable, Array]:
    """The rows of both tables under each other, and which of them (n,) are those of the test."""
    keys = [key for key in (layout.id, layout.time) if key is not None]
    frame = select(table, [*keys, *wanted])
    tested = np.zeros(len(frame), bool)
    if test is not None:
        more = select(test, [*keys, *wanted])
        tested = np.concatenate([tested, np.ones(len(more), bool)])
        frame = pd.concat([frame, more], ignore_index=True)
    return replace(table, frame=frame.reset_index(drop=True), notes=()), tested


def read_tracks(table: RawTable, columns: Sequence[Column], layout: Layout) -> tuple[list[Track], tuple[str, ...]]:
    """The series of a table, one an id, sorted by time, and what was done."""
    keys = [key for key in (layout.id, layout.time) if key is not None]
    frame = select(table, [*keys, *(column.name for column in columns)]).reset_index(drop=True)
    if layout.time is None:
        steps = np.arange(len(frame), dtype=float)
        times = Times(steps, np.array([f"row {i + 1}" for i in range(len(frame))], dtype=object), False)
    else:
        times = read_times(frame[layout.time], layout.time, table.name)
    ids = None if layout.id is None else frame[layout.id]
    rows = sort_rows(ids, times, layout.id or "", layout.time or "", table.name)
    values = np.stack([convert(frame[column.name], column).values for column in columns])
    _, ranks = np.unique(times.values, return_inverse=True)
    tracks = [
        Track(name, values[:, part], part, ranks[part], times.texts[part], _spacing(times, part))
        for name, part in zip(rows.names, rows.parts(), strict=True)
    ]
    return tracks, (*times.notes, *rows.notes, *_said_spacing(times, rows))


def _require_later(tracks: list[Track], tested: Array, name: str) -> None:
    for track in tracks:
        late = tested[track.rows]
        if late.any() and not late[int(late.argmax()) :].all():
            first = track.texts[int(late.argmax())]
            raise UserError(f"the test source {name} begins at {first}, before the training rows end: expected later")


def _settled(tracks: list[Track], tested: Array, layout: Layout, source: str) -> tuple[Layout, tuple[str, ...]]:
    """The layout with a window and a period, looked for in what comes before the test."""
    longest = max(tracks, key=lambda track: len(track.rows))
    before = len(longest.rows) - int(tested[longest.rows].sum()) if tested.any() else None
    early = longest.values[0, : before or int(len(longest.rows) * (1 - TEST_SHARE))]
    said = []
    period = layout.period
    if period is None:
        period, clear = find_period(early, longest.spacing)
        said.append(
            f"a season of {counted(period, 'step')} is in '{source}' (autocorrelation {clear:.2f})"
            if period
            else "no season is seen in the data"
        )
    window = layout.window
    if window is None:
        window = 2 * period if 2 <= 2 * period <= WIDEST else WINDOW
        window = max(2, min(window, len(early) // SHARE))
    return replace(layout, period=period, window=window), tuple(said)


# -- cutting ------------------------------------------------------------------------------------------------------


def windows(tracks: Sequence[Track], layout: Layout, known: bool) -> Windows:
    """Every full window of the tracks; with `known` only those whose target is there."""
    several = len(tracks) > 1
    each = [_cut(track, layout, known, several) for track in tracks if len(track.rows) >= _least(layout)]
    channels = (len(tracks[0].values) + bool(layout.period), int(layout.window or 0))
    if not each:
        return Windows(np.zeros((0, *channels)), np.zeros(0), np.zeros((0, 2), np.int64), (), np.zeros(0, np.int64))
    return Windows(
        np.concatenate([w.series for w in each]),
        np.concatenate([w.target for w in each]),
        np.concatenate([w.order for w in each]),
        tuple(name for w in each for name in w.origin),
        np.concatenate([w.rows for w in each]),
    )


def _least(layout: Layout) -> int:
    """The steps that the shortest series with a window has."""
    return max(int(layout.window or 2), _back(layout) + 1)


def _back(layout: Layout) -> int:
    """How many steps before the forecast is made the value lies that is one season before the one asked for."""
    horizon, period = int(layout.horizon or 1), int(layout.period or 0)
    return period * -(-horizon // period) - horizon if period else 0


def _cut(track: Track, layout: Layout, known: bool, several: bool) -> Windows:
    """The windows of one track that have a last value to start from."""
    size, horizon, steps = int(layout.window or 2), int(layout.horizon or 1), len(track.rows)
    values = np.vstack([track.values, *_before(track.values[0], layout)])
    ends = np.arange(_least(layout) - 1, steps)  # the step at which a forecast is made
    aim = ends + horizon
    there = aim < steps
    target = np.where(there, track.values[0][np.minimum(aim, steps - 1)], np.nan)
    view = np.lib.stride_tricks.sliding_window_view(values, size, axis=1)[:, ends - size + 1].transpose(1, 0, 2)
    usable = ~np.isnan(view[:, 0]).all(axis=1)
    usable &= ~np.isnan(view[:, -1, -1]) if layout.period else True
    usable &= ~np.isnan(target) if known else True
    kept = np.flatnonzero(usable)
    ends, aim, there = ends[kept], aim[kept], there[kept]
    future = np.minimum(aim, steps - 1)
    order = np.stack([track.ranks[ends], np.where(there, track.ranks[future], track.ranks[ends] + horizon)], axis=1)
    names = tuple(f"{track.name}, {text}" if several else str(text) for text in track.texts[ends])
    rows = np.where(there, track.rows[future], -1)
    return Windows(np.ascontiguousarray(view[kept]), target[kept], order, names, rows)


def _before(target: Array, layout: Layout) -> list[Array]:
    """The target (time,) one season before the step a forecast asks for, as it was known then; gaps carried over."""
    if not layout.period:
        return []
    there = ~np.isnan(target)
    last = np.maximum.accumulate(np.where(there, np.arange(len(target)), -1))
    filled = np.where(last >= 0, target[last], np.nan)
    back = _back(layout)
    return [np.concatenate([np.full(min(back, len(target)), np.nan), filled[: max(0, len(target) - back)]])[None]]


def _season(target: str, layout: Layout) -> tuple[Column, ...]:
    return (Column(f"{SEASON}: {target}", "number"),) if layout.period else ()


def _said_spacing(times: Times, rows: Sorted) -> tuple[str, ...]:
    if not times.dates:
        return ()
    steps = np.concatenate([np.diff(times.values[part]) for part in rows.parts()])
    if not len(steps) or (steps.max() <= 1.15 * steps.min()):
        return ()
    return ("time stamps are not evenly spaced: a step is from one row to the next",)


def _spacing(times: Times, part: Array) -> float | None:
    return float(np.median(np.diff(times.values[part]))) if times.dates and len(part) > 1 else None


def _said_range(target: Array, name: str) -> str:
    return f"target '{name}' runs from {target.min():g} to {target.max():g}: regression"
