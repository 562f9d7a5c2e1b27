"""Corrections of labels that lie over a source without changing it: labels to change, rows to drop."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.split import divide
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest
from steelyard.problem import Head

Action = Literal["keep", "change", "drop", "skip"]
COLUMNS = ("origin", "target", "given", "action", "label", "by", "when")
NEEDED = ("origin", "given", "action", "label")


@dataclass(frozen=True)
class Correction:
    """What was decided of one label: `origin` names its row as the data set does, `target` which of several it is.

    `given` is the label of the source, `label` the right one where the action is "change".
    """

    origin: str
    target: str
    given: str
    action: Action
    label: str = ""
    by: str = ""
    when: str = ""


def read_corrections(file: str | Path) -> tuple[Correction, ...]:
    """The corrections in a CSV file; of several for one label the last. UserError where a line cannot be used."""
    try:
        lines = csv.DictReader(io.StringIO(Path(file).read_text(encoding="utf-8-sig"), newline=""))
        rows, names = list(lines), lines.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"the corrections in {file} cannot be read ({error}): expected a CSV file") from error
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise UserError(f"{file} has no column '{missing[0]}': corrections have the columns {', '.join(COLUMNS)}")
    found: dict[tuple[str, str], Correction] = {}
    for number, row in enumerate(rows, 2):
        if row["action"] not in get_args(Action):
            kinds = ", ".join(get_args(Action))
            raise UserError(f"{file}, line {number}: action is one of {kinds}, got '{row['action']}'")
        one = Correction(**{name: row.get(name) or "" for name in COLUMNS})  # type: ignore[arg-type]
        found[one.origin, one.target] = one
    return tuple(found.values())


def write_corrections(file: Path, each: Iterable[Correction]) -> None:
    """Write them as CSV, all of it or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as handle:
        lines = csv.writer(handle)
        lines.writerow(COLUMNS)
        lines.writerows([getattr(one, name) for name in COLUMNS] for one in each)
    partial.replace(file)


def corrected(dataset: Dataset, files: Sequence[str | Path], seed: int) -> Dataset:
    """The data set under the corrections in files, one after the other: in train, dev and test alike.

    The rows of the test are those that it would have without them, less the dropped ones. Raises UserError where a row
    is not there or has another label than a correction says.
    """
    if dataset.schema.layout.forecasts:
        raise UserError("corrections are for labels, and a forecast has none: leave them out")
    dataset = _sealed_as_before(dataset, seed)
    for file in files:
        dataset = _overlaid(dataset, read_corrections(file), str(file))
    return dataset


def _sealed_as_before(dataset: Dataset, seed: int) -> Dataset:
    """With the test rows marked that a run draws from the labels as they are."""
    part = np.full(len(dataset), "", object) if dataset.part is None else dataset.part.astype(object)
    if not (part == "test").any():
        part[divide(dataset, seed)[2]] = "test"
    return replace(dataset, part=part)


def _overlaid(dataset: Dataset, corrections: Sequence[Correction], file: str) -> Dataset:
    assert dataset.target is not None and dataset.part is not None
    places = {origin: row for row, origin in enumerate(dataset.origin)}
    heads = dataset.heads or (Head(dataset.schema.target, dataset.task, dataset.classes),)
    columns = {head.name: k for k, head in enumerate(heads)}
    target = dataset.target.reshape(len(dataset), -1).copy()
    changed, dropped = set[int](), set[int]()
    for one in corrections:
        where = f"{file}: row '{one.origin}'"
        if one.action == "skip":
            continue
        if one.origin not in places:
            raise UserError(f"{where} is not in the source: were its rows moved or left out since?")
        name = one.target or (heads[0].name if len(heads) == 1 else "")
        if name not in columns:
            raise UserError(f"{where}: there is no target '{name}'{suggest(name, columns)}")
        row, column = places[one.origin], columns[name]
        if not _same(heads[column], target[row, column], one.given):
            now = _written(heads[column], target[row, column])
            raise UserError(f"{where} is '{now}' in the source, but '{one.given}' was corrected: review it again")
        if one.action == "drop":
            dropped.add(row)
        elif one.action == "change":
            changed.add(row)
            target[row, column] = _coded(heads[column], one.label, where)
    fixed = replace(dataset, target=target.reshape(dataset.target.shape))
    tested = sum(dataset.part[row] == "test" for row in changed | dropped)
    note = f"{counted(len(changed), 'row')} relabelled, {len(dropped)} dropped by {Path(file).name}; {tested} in test"
    kept = np.setdiff1d(np.arange(len(dataset)), sorted(dropped))
    fixed = replace(fixed.take(kept), notes=(*dataset.notes, note))
    _require_classes(fixed, file)
    return fixed


def _require_classes(dataset: Dataset, file: str) -> None:
    assert dataset.target is not None
    if dataset.classes:
        counts = np.bincount(dataset.target, minlength=len(dataset.classes))
        if not counts.all():
            raise UserError(f"{file} leaves no row of class '{dataset.classes[int(counts.argmin())]}': keep some")


def _same(head: Head, value: float, given: str) -> bool:
    if head.classes or np.isnan(value):
        return _written(head, value) == given
    try:
        return bool(np.isclose(value, float(given), rtol=1e-5, atol=1e-12))
    except ValueError:
        return False


def _written(head: Head, value: float) -> str:
    if np.isnan(value):
        return ""
    return head.classes[int(value)] if head.classes else f"{value:.6g}"


def _coded(head: Head, label: str, where: str) -> float:
    if head.classes:
        if label not in head.classes:
            raise UserError(f"{where}: there is no class '{label}'{suggest(label, head.classes)}")
        return float(head.classes.index(label))
    try:
        value = float(label)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise UserError(f"{where}: expected a number, got '{label}'")
    return value
