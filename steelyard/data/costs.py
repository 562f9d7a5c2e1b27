"""What mistakes cost: a table of the true classes by the predicted ones, from a file or a dict of dicts."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.targets import class_names
from steelyard.errors import UserError, suggest
from steelyard.metrics import Costs

Given = Mapping[Any, Mapping[Any, Any]]  # {true class: {predicted class: cost}}


def read_costs(file: Path) -> dict[str, dict[str, str]]:
    """The costs in a CSV: the true class in the first column, the predicted classes in the header."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"cannot read the costs in {file}: {reason}") from error
    first = text.split("\n", 1)[0]
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    ]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise UserError(f"{file} is no table of costs: expected predicted classes in the header, a line per true class")
    header = rows[0][1:]
    _refuse_twice(header, f"{file} has more than one column for class")
    _refuse_twice([row[0] for row in rows[1:]], f"{file} has more than one line for class")
    for row in rows[1:]:
        if len(row) != len(rows[0]):
            raise UserError(f"{file} has {len(row)} cells in the line of class '{row[0]}': expected {len(rows[0])}")
    return {row[0]: dict(zip(header, row[1:], strict=True)) for row in rows[1:]}


def cost_matrix(given: Given, classes: tuple[str, ...]) -> Costs:
    """The costs in the order of the classes, true ones down and predicted ones across.

    UserError for a class that is unknown or missing, and for a cost that is no finite number.
    """
    if not classes:
        raise UserError("costs are for classes, and this is a regression: leave them out")
    if not isinstance(given, dict) or not all(isinstance(row, dict) for row in given.values()):
        raise UserError("costs are a dict of dicts, {true class: {predicted class: cost}}")
    lines = _by_class(given, classes, "true classes")
    table = [_by_class(lines[true], classes, f"predicted classes where '{true}' is true") for true in classes]
    return tuple(
        tuple(_number(row[predicted], true, predicted) for predicted in classes)
        for true, row in zip(classes, table, strict=True)
    )


def _by_class(given: Mapping[Any, Any], classes: tuple[str, ...], what: str) -> dict[str, Any]:
    """The values under the names that the classes have in the data."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        name = _class_name(key, classes)
        if name not in classes:
            raise UserError(f"costs name '{name}' among the {what}, which is no class{suggest(name, classes)}")
        if name in found:
            raise UserError(f"costs name '{name}' twice among the {what}: expected every class once")
        found[name] = value
    missing = [f"'{name}'" for name in classes if name not in found]
    if missing:
        raise UserError(f"costs lack {', '.join(missing[:5])} among the {what}: expected a cost for every class")
    return found


def _class_name(key: Any, classes: tuple[str, ...]) -> str:
    """The class a key means: by its text, or as the target is read (3, 3.0 and "3" are the same)."""
    text = str(key).strip()
    return text if text in classes else class_names(pd.Series([key], dtype=object))[0] or text


def _number(value: Any, true: str, predicted: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise UserError(f"the cost of '{true}' predicted as '{predicted}' is '{value}': expected a number")
    return number


def _refuse_twice(names: Iterable[str], what: str) -> None:
    known: set[str] = set()
    for name in names:
        if name in known:
            raise UserError(f"{what} '{name}': expected one")
        known.add(name)
