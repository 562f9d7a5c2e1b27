"""A raw table to a `Dataset`: columns typed, target coded, ready split and duplicates found, all of it said."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from steelyard.data.columns import Converted, Verdict, convert, decide, missing
from steelyard.data.dataset import KINDS, Column, Dataset, Schema
from steelyard.data.duplicates import judge, key_groups, row_groups
from steelyard.data.image_column import Photos, image_columns, photos, with_files
from steelyard.data.image_folders import PARTS
from steelyard.data.mixed_sources import completed, located, misplaced, source_names, sources_of
from steelyard.data.several_targets import code_targets, known_targets, points_off
from steelyard.data.sources import Mix
from steelyard.data.tables import RawTable, position, positions, renumbered, select
from steelyard.data.targets import class_names, codes_of, without_points
from steelyard.data.weights import row_weights
from steelyard.data.words import counted, listed
from steelyard.errors import UserError, suggest
from steelyard.problem import Head, Modality

LEAST = 10  # rows below which nothing can be learnt or measured


@dataclass(frozen=True)
class Typed:
    """Typed columns with what was said about them."""

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def table_dataset(
    table: RawTable,
    target: str | int | Sequence[str | int],
    test: RawTable | None,
    task: str | None,
    exclude: Sequence[str],
    weights: str | int | None = None,
    order: tuple[str, ...] = (),
    mix: Mix | None = None,
) -> Dataset:
    """The data set of a training table and, where given, a table of test rows.

    The columns `weights` and that of `mix` are no inputs.
    """
    require_rows(len(table.frame), table.name)
    names = positions(table, target)
    weighing = None if weights is None else _weighing(position(table, weights), names, exclude)
    taken = {*names, *([] if weighing is None else [weighing])}
    if mix is not None:
        mix = located(mix, table, taken, exclude)
        test = None if test is None else completed(mix, test)
        taken.add(str(mix.column))
    table = with_files(table, {*taken, *exclude})
    test = None if test is None else with_files(test, {*taken, *exclude})
    notes = table.notes
    if len(names) == 1 and names[0] != str(target):
        notes += (f"target is column '{names[0]}'",)
    raw, part, origin = table.frame, None, table.origin or _row_numbers(len(table.frame))
    if test is not None:
        raw, part, said = _appended(table, test, names, exclude)
        origin += tuple(f"test {row}" for row in test.origin or _row_numbers(len(test.frame)))
        notes += said
    else:
        raw, part, said = _split_column(raw, taken)
        notes += said
    tested = np.zeros(len(raw), dtype=bool) if part is None else part == "test"
    coded = code_targets(raw, names, task, tested, order, table.labels)
    if mix is not None:
        of = source_names(raw[str(mix.column)])
        wrong, said = misplaced(of, mix, part)
        coded, notes = replace(coded, usable=coded.usable & ~wrong), (*notes, *said)
    inputs = _without(raw.drop(columns=[*taken]), exclude, names, table.name)
    require_rows(int(coded.usable.sum()), table.name)
    if not np.any(~tested[coded.usable]):
        raise UserError(f"{table.name} has no training rows: every row is marked as test")
    inputs, album, said_images = _album(inputs, coded.usable)
    typed = typed_columns(inputs, ~tested & coded.usable, table.name, table.texts, alone=album is None)
    schema, frame = _schema(typed, album, names), typed.frame
    usable = coded.usable.copy()
    if schema.modality == "image":  # a row without its image has nothing to say
        usable[list(album.unreadable if album else ())] = False
    elif album is not None:
        frame = frame.assign(**{album.column: album.there(len(frame))})
    rows = np.flatnonzero(usable)
    require_rows(len(rows), table.name)
    frame = frame.iloc[rows].reset_index(drop=True)
    counts, said_weights = None, ""
    if weighing is not None:
        counts, said_weights = row_weights(raw[weighing], weighing, coded, tested, origin)
    part = None if part is None else part[rows]
    sources = None
    if mix is not None:
        sources, said = sources_of(of[rows], mix, coded.values[rows], part)
        notes += said
    groups, said_groups = judge(_groups(frame, coded.values[rows], album, rows), part, "rows")
    return Dataset(
        name=table.name,
        schema=schema,
        target=coded.values[rows],
        classes=coded.classes,
        frame=None if schema.modality == "image" else frame,
        images=None if album is None else album.of(rows),
        part=part,
        groups=groups,
        origin=tuple(origin[i] for i in rows),
        notes=(
            *notes,
            *coded.notes,
            *([said_weights] if said_weights else []),
            *typed.notes,
            *said_images,
            *said_groups,
        ),
        unreadable=tuple((origin[i], why) for i, why in album.unreadable.items()) if album else (),
        weights=counts,
        heads=coded.heads,
        asks=coded.asks,
        sources=sources,
    )


def table_like(table: RawTable, schema: Schema, classes: tuple[str, ...], heads: tuple[Head, ...] = ()) -> Dataset:
    """The rows of a table typed as the training data was; every row stays, in order."""
    names, targets = [column.name for column in schema.columns], schema.target_columns
    if any(name not in table.frame.columns for name in (*names, *targets)):
        table = renumbered(table, names, targets)
    photo = next((column.name for column in schema.columns if column.kind == "image"), "")
    table = with_files(table, {*table.frame.columns} - {photo}, photo)
    raw = select(table, names)
    if not len(raw):
        raise UserError(f"{table.name} has no rows to predict on")
    typed = _converted(raw, tuple(column for column in schema.columns if column.kind != "image"))
    album = photos(raw[photo], np.ones(len(raw), bool), schema.shape) if photo else None
    target, said = None, tuple[str, ...]()
    there = [name for name in targets if name in table.frame.columns]
    if heads and len(there) == len(targets):
        target = known_targets(table.frame, targets, heads)
    elif not heads and there:
        target, said = known_target(table.frame[schema.target], schema.target, classes)
    extra = len(table.frame.columns) - len(names) - len(there)
    ignored = (f"{counted(extra, 'other column')} of {table.name} not used",) if extra else ()
    found = Dataset(
        name=table.name,
        schema=schema,
        target=target,
        classes=classes,
        frame=typed.frame,
        origin=_row_numbers(len(raw)),
        notes=(*table.notes, *ignored, *said, *typed.notes, *(album.notes if album else ())),
        heads=heads,
    )
    return found if album is None else _with_album(found, album)


def known_target(values: pd.Series, name: str, classes: tuple[str, ...]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The target of rows to predict on, coded as in training; None (said why) unless every row has a known one."""
    if not classes:
        found = convert(values, Column(name, "number")).values
        absent = np.isnan(found)
    else:
        if not isinstance(values.dtype, pd.CategoricalDtype):
            values = without_points(values, pd.Series(list(classes)))
        found = codes_of(class_names(values), classes)
        absent = found < 0
    if not absent.any():
        return found, ()
    what = "no known class" if classes else "no number"
    return None, (f"target '{name}' holds {what} in {int(absent.sum())} of {len(found)} rows: not used",)


def typed_columns(
    raw: pd.DataFrame, learnt: np.ndarray, name: str, texts: Sequence[str] = (), alone: bool = True
) -> Typed:
    """Every column typed by the rows of `learnt` (n,) bool; ids and constants are left out and said.

    `texts` are columns that are known to be texts. There must be one that is used, unless they are not `alone` but have
    images beside them.
    """
    known = {column: Verdict(Column(column, "text")) for column in texts}
    verdicts = known | {c: decide(c, raw.loc[learnt, c]) for c in raw.columns if c not in known}
    verdicts = judged({column: verdicts[column] for column in raw.columns}, alone)
    spare_only = alone and not any(v.column and not v.spare for v in verdicts.values())
    columns, left, notes = [], dict[str, list[str]](), []
    for column, verdict in verdicts.items():
        if verdict.column is None or (verdict.spare and not spare_only):
            left.setdefault(verdict.reason, []).append(column)
        else:
            columns.append(verdict.column)
            notes += [verdict.note] if verdict.note else []
            notes += [f"column '{column}' {verdict.reason}: used, there is no other input"] if verdict.spare else []
    notes += [f"{_listed(names)} {_plural(reason, len(names))}: left out" for reason, names in left.items()]
    if not columns and alone:
        raise UserError(f"{name} has no column to learn from: {'; '.join(notes) or 'there is only the target'}")
    typed = _converted(raw, tuple(columns))
    if columns and modality(columns) == "text" and not typed.frame.loc[learnt].notna().any(axis=None):
        raise UserError(f"{name} has no words in it: every text is empty")
    return replace(typed, notes=(*([_said_kinds(columns)] if columns else []), *notes, *typed.notes))


def _album(inputs: pd.DataFrame, usable: np.ndarray) -> tuple[pd.DataFrame, Photos | None, tuple[str, ...]]:
    """The columns without images, the images of one column, and what is said of them."""
    found = image_columns(inputs)
    if not found:
        return inputs, None, ()
    album = photos(inputs[found[0]], usable)
    more = tuple(f"column '{other}' holds images as '{found[0]}' does: left out" for other in found[1:])
    return inputs.drop(columns=found), album, (*album.notes, *more)


def _schema(typed: Typed, album: Photos | None, names: tuple[str, ...]) -> Schema:
    columns = typed.columns if album is None else (*typed.columns, Column(album.column, "image"))
    shape, several = None if album is None else album.shape, names if len(names) > 1 else ()
    return Schema(modality(columns), listed(names), columns, shape, several)


def _groups(frame: pd.DataFrame, target: np.ndarray, album: Photos | None, rows: np.ndarray) -> np.ndarray:
    """A number per row (n,), the same for rows that are the same with their images."""
    if album is None:
        return row_groups(frame, target)
    keys = album.keys(int(rows.max()) + 1)
    return row_groups(frame.assign(**{"\0image": key_groups([keys[i] for i in rows])}), target)


def _with_album(dataset: Dataset, album: Photos) -> Dataset:
    """A table to predict on with the images of its rows; without other columns, rows without one are left out."""
    if dataset.schema.modality == "image":
        if not len(album.rows):
            raise UserError(f"none of the images in column '{album.column}' of {dataset.name} can be read")
        bad = tuple((dataset.origin[i], why) for i, why in album.unreadable.items())
        kept = replace(dataset, frame=None, images=album.of(np.arange(len(dataset))), unreadable=bad)
        return kept.take(album.rows) if bad else kept
    assert dataset.frame is not None
    frame = dataset.frame.assign(**{album.column: album.there(len(dataset))})
    return replace(dataset, frame=frame, images=album.of(np.arange(len(dataset))))


def judged(verdicts: dict[str, Verdict], alone: bool = True) -> dict[str, Verdict]:
    """The verdicts on columns, seen together: where nothing else is an input, phrases are texts."""
    texts = [name for name, v in verdicts.items() if v.column and v.column.kind == "text"]
    phrases = [name for name, v in verdicts.items() if v.phrases]
    others = any(v.column and not v.spare and name not in texts + phrases for name, v in verdicts.items())
    if others or not alone:
        return verdicts
    note = "column '{}' is taken as text: there are no inputs of another kind"
    return verdicts | {name: Verdict(Column(name, "text"), note=note.format(name)) for name in phrases}


def modality(columns: Sequence[Column]) -> Modality:
    """What a table with these inputs is: of texts or of images only, of these and others, or plain."""
    kinds = {column.kind for column in columns}
    if kinds == {"text"}:
        return "text"
    if kinds == {"image"}:
        return "image"
    return "mixed" if kinds & {"text", "image"} else "tabular"


def require_rows(count: int, name: str) -> None:
    """UserError when there are too few rows to learn from."""
    if count == 0:
        raise UserError(f"{name} has no usable rows: expected at least {LEAST}")
    if count < LEAST:
        raise UserError(f"{name} has {counted(count, 'usable row')}: at least {LEAST} rows are needed")


def _converted(raw: pd.DataFrame, columns: tuple[Column, ...]) -> Typed:
    found = {column.name: convert(raw[column.name], column) for column in columns}
    frame = pd.DataFrame({c.name: _series(found[c.name].values, c) for c in columns}, index=range(len(raw)))
    strays = [_said_strays(c, found[c.name]) for c in columns if found[c.name].strays]
    infinite = {name: f.infinite for name, f in found.items() if f.infinite}
    notes = strays + [f"{counted(sum(infinite.values()), 'infinite cell')} taken as missing: {_top(infinite)}"] * bool(
        infinite
    )
    absent = {name: int(missing(f.values).sum()) for name, f in found.items()}
    absent = {name: count for name, count in absent.items() if count}
    notes += [f"{counted(sum(absent.values()), 'cell')} missing: {_top(absent)}"] * bool(absent)
    return Typed(frame, columns, tuple(notes))


def _series(values: np.ndarray, column: Column) -> pd.Series:
    return pd.Series(values, dtype=object if column.kind in {"category", "text"} else None)


def _said_kinds(columns: list[Column]) -> str:
    counts = Counter(column.kind for column in columns)
    return "inputs: " + ", ".join(counted(n, kind, KINDS[kind]) for kind, n in counts.most_common())


def _said_strays(column: Column, found: Converted) -> str:
    shown = ", ".join(f"'{text}'" for text in list(found.strays)[:3]) + (", …" if len(found.strays) > 3 else "")
    count = counted(sum(found.strays.values()), "other cell")
    return f"column '{column.name}' is a {column.kind}: {count} taken as missing ({shown})"


def _appended(
    table: RawTable, test: RawTable, targets: tuple[str, ...], exclude: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    """Train and test rows under each other, with the part of each; columns to leave out need not be in the test."""
    if table.numbered and not test.numbered and table.frame.shape[1] == test.frame.shape[1]:
        test = replace(test, frame=test.frame.set_axis(table.frame.columns, axis=1))
    for target in targets:
        if target not in test.frame.columns:
            hint = suggest(target, test.frame.columns)
            raise UserError(f"the test source {test.name} lacks the target '{target}'{hint}")
    came = select(test, [column for column in table.frame.columns if column not in exclude]).copy()
    below, pointed = points_off(came, table.frame, targets)
    said: tuple[str, ...] = (f"{counted(len(below), 'test row')} from {test.name}",)
    if pointed:
        said += (f"classes in {test.name} end in a point ('.'), those of {table.name} do not: taken off",)
    raw = pd.concat([table.frame, below], ignore_index=True)
    part = np.array(["train"] * len(table.frame) + ["test"] * len(below))
    return raw, part, said


def _weighing(column: str, targets: Sequence[str], exclude: Sequence[str]) -> str:
    """The column of the weights, which is nothing else."""
    if column in targets:
        raise UserError(f"weights cannot be '{column}': it is the target")
    if column in exclude:
        raise UserError(f"cannot exclude '{column}': it holds the weights, and so is no input anyway")
    return column


def _split_column(raw: pd.DataFrame, taken: set[str]) -> tuple[pd.DataFrame, np.ndarray | None, tuple[str, ...]]:
    """The ready split that a column `split` names, which then is no input; those `taken` are something else."""
    for column in raw.columns:
        if str(column).lower() != "split" or column in taken:
            continue
        words = class_names(raw[column])
        parts = np.array([PARTS.get(str(word).lower(), "") for word in words])
        if np.all(parts != "") and "train" in parts and len(set(parts)) > 1:
            counts = ", ".join(f"{np.sum(parts == p):,} {p}" for p in ("train", "dev", "test") if p in parts)
            return raw.drop(columns=column), parts, (f"column '{column}' names a ready split: {counts}",)
    return raw, None, ()


def _without(inputs: pd.DataFrame, exclude: Sequence[str], targets: Sequence[str], name: str) -> pd.DataFrame:
    for column in exclude:
        if column in targets:
            raise UserError(f"cannot exclude '{column}': it is the target")
        if column not in inputs.columns:
            raise UserError(f"cannot exclude '{column}': it is not in {name}{suggest(column, inputs.columns)}")
    return inputs.drop(columns=list(dict.fromkeys(exclude)))


def _row_numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(1, count + 1)))


def _top(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"'{name}' {count:,}" for name, count in most[:4]) + (", …" if len(most) > 4 else "")


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"column '{names[0]}'"
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return f"columns {shown}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _plural(reason: str, count: int) -> str:
    if count == 1:
        return reason
    verbs = {"is": "are", "holds": "hold", "looks": "look"}
    first, _, rest = reason.partition(" ")
    return f"{verbs.get(first, first)} {rest}".replace("like an id", "like ids")
