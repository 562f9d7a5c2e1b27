"""Data sets that hand out one example at a time, as those of PyTorch do, to a table or to arrays."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal

import numpy as np
import pandas as pd

from steelyard.data import arrow
from steelyard.data.tables import RawTable
from steelyard.data.words import counted
from steelyard.errors import UserError

LIMIT = 100_000  # examples taken from a stream, which may have no end
TARGETS = ("label", "labels", "target", "class", "y")
FORMS = "(x, y) or a dict, x being numbers, an image or a text"
Cell = Literal["value", "text", "row", "image"]


def items_of(source: Any, target: str) -> RawTable | tuple[np.ndarray, pd.Series]:
    """The examples of a data set: images of one shape as a pair of arrays (n, …) and targets, else a table.

    Items are (x, y), (x1, x2, …, y), dicts of columns, or x alone. x are numbers or a vector of them, an image as
    array, tensor or picture, or a text. Class names are taken from `classes` of the data set, or of what it is a
    subset of. Each example is read once. Raises UserError for items of no known kind, or of different lengths.
    """
    name = type(source).__name__
    items = list(_read(source, name))
    if not items:
        raise UserError(f"{name} is empty: expected items such as {FORMS}")
    columns, wanted = _columns(items, target, name)
    classes = _classes(source, wanted)
    if classes and wanted in columns:
        columns[wanted] = list(_named(columns[wanted], classes))
    notes = [f"{counted(len(items), 'item')} of {name} read once, with the transforms it has"]
    if not hasattr(type(source), "__len__") and len(items) == LIMIT:
        notes.append(f"{name} is a stream: its first {LIMIT:,} items are used")
    inputs = [column for column in columns if column != wanted]
    if len(inputs) == 1 and (images := _same_shape(columns[inputs[0]])) is not None:
        y = columns.get(wanted)
        return (images, pd.Series(y, name=wanted)) if y is not None else (images, None)
    frame = pd.DataFrame({column: _series(cells) for column, cells in columns.items()})
    return RawTable(name, frame, notes=tuple(notes), target=wanted if wanted in columns else "")


# -- reading --------------------------------------------------------------------------------------------------


def _read(source: Any, name: str) -> Iterator[Any]:
    """The items; what a data set raises on one of them is the user's to mend, in one line."""
    sized = hasattr(type(source), "__getitem__") and hasattr(type(source), "__len__")
    each: Iterable[Any] = (source[i] for i in range(len(source))) if sized else islice(source, LIMIT)
    count, iterator = 0, iter(each)
    while True:
        try:
            item = next(iterator)
        except StopIteration:
            return
        except Exception as error:  # code of the user's
            said = str(error).splitlines()[0][:200] if str(error) else ""
            raise UserError(f"item {count} of {name} cannot be read: {type(error).__name__}: {said}") from error
        count += 1
        yield item


def _classes(source: Any, column: str) -> list[str]:
    """The names of classes that a data set, or the one it is a subset of, tells."""
    features = getattr(source, "features", None)
    if isinstance(features, Mapping) and isinstance(names := getattr(features.get(column), "names", None), list):
        return names
    while source is not None:
        found = getattr(source, "classes", None)
        if isinstance(found, list | tuple) and len(found) > 1:
            return [str(each[0] if isinstance(each, tuple | list) else each) for each in found]
        source = getattr(source, "dataset", None)
    return []


def _named(values: list[Any], classes: list[str]) -> Iterable[Any]:
    """The names of class codes; values that are no codes stay as they are."""
    whole = all(isinstance(v, int | np.integer) and 0 <= v < len(classes) for v in values)
    return arrow.named(np.asarray(values), classes) if whole else values


# -- columns --------------------------------------------------------------------------------------------------


def _columns(items: list[Any], target: str, name: str) -> tuple[dict[str, list[Any]], str]:
    """Cells by column, and the name of the column with the target."""
    first = items[0]
    if isinstance(first, Mapping):
        _same_form(items, lambda item: isinstance(item, Mapping) and item.keys() == first.keys(), name, "other fields")
        found: dict[str, list[Any]] = {}
        for key in first:
            found |= _cells(str(key), [item[key] for item in items], name)
        known = [key for key in found if key.lower() in TARGETS]
        return found, target if target in found else known[0] if len(known) == 1 else target
    if not isinstance(first, tuple | list) or (isinstance(first, list) and _numbers(first)):
        return _inputs([items], name), target
    several = len(first)
    _same_form(items, lambda item: isinstance(item, tuple | list) and len(item) == several, name, "another form")
    slots = [list(slot) for slot in zip(*items, strict=True)]
    if several < 2:
        return _inputs(slots, name), target
    answers = [_plain(each) for each in slots[-1]]
    answers = [each.item() if isinstance(each, np.ndarray) and each.size == 1 else each for each in answers]
    return _inputs(slots[:-1], name) | {target: answers}, target


def _inputs(slots: list[list[Any]], name: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for slot in slots:
        cells = [_plain(each) for each in slot]
        stem = {"image": "image", "text": "text"}.get(_kind(cells[0], 0, name), "x")
        number = sum(column.startswith(stem) for column in found)
        found |= _cells(f"{stem}{number}" if number else stem, cells, name)
    return found


def _cells(stem: str, given: list[Any], name: str) -> dict[str, list[Any]]:
    """The column or columns that one place of the items makes."""
    cells = [_plain(each) for each in given]
    kinds = {
        kind: i for i, cell in reversed(list(enumerate(cells))) if cell is not None for kind in [_kind(cell, i, name)]
    }
    if len(kinds) > 1 and set(kinds) != {"value", "text"}:
        (one, here), (other, there) = sorted(kinds.items(), key=lambda pair: pair[1])[:2]
        raise UserError(f"items of {name} differ: item {here} has {one} where item {there} has {other}")
    if set(kinds) != {"row"}:
        return {stem: cells}
    rows = [np.ravel(cell) if cell is not None else np.zeros(0) for cell in cells]
    length = len(rows[0])
    for i, row in enumerate(rows):
        if len(row) != length:
            raise UserError(f"items of {name} have different lengths: item 0 has {length} numbers, item {i} {len(row)}")
    return {f"{stem}{j}": list(column) for j, column in enumerate(np.stack(rows).T)}


def _plain(value: Any) -> Any:
    """Tensors and lists of numbers as arrays, arrays of one number without axes as that number."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, list | tuple) and _numbers(value):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    return value


def _numbers(value: Any) -> bool:
    return bool(value) and all(isinstance(each, int | float | np.number) for each in value)


def _kind(cell: Any, place: int, name: str) -> Cell:
    if isinstance(cell, str):
        return "text"
    if cell is None or isinstance(cell, int | float | np.number | np.bool_):
        return "value"
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "bifu":
        if cell.ndim == 1:
            return "row"
        if cell.ndim in {2, 3}:
            return "image"
    if type(cell).__module__.startswith("PIL.") or (isinstance(cell, dict) and {"bytes", "path"} & cell.keys()):
        return "image"
    what = f"an array {cell.shape} of {cell.dtype}" if isinstance(cell, np.ndarray) else type(cell).__name__
    raise UserError(f"item {place} of {name} holds {what}: expected {FORMS}")


def _same_form(items: list[Any], fits: Any, name: str, what: str) -> None:
    for i, item in enumerate(items):
        if not fits(item):
            raise UserError(f"item {i} of {name} has {what} than item 0: expected {FORMS}, the same for all")


def _same_shape(cells: list[Any]) -> np.ndarray | None:
    """Images (n, …) that all have one shape, as one array."""
    first = cells[0]
    if not isinstance(first, np.ndarray) or first.ndim < 2:
        return None
    alike = all(isinstance(each, np.ndarray) and each.shape == first.shape for each in cells)
    return np.stack(cells) if alike else None


def _series(cells: list[Any]) -> pd.Series:
    plain = all(cell is None or isinstance(cell, int | float | str | np.number | np.bool_) for cell in cells)
    return pd.Series(cells) if plain else pd.Series(cells, dtype=object)
