"""The target: which task it asks for, its classes and codes, the rows that cannot be used."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from steelyard.data.columns import (
    Levels,
    categories,
    is_date,
    is_number,
    mostly_numbers,
    numbers,
    texts_of_numbers,
    to_levels,
)
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest
from steelyard.problem import Head, Task

SEVERAL = ("multilabel", "multioutput", "multitask")
FEW = 20  # different whole numbers up to which they may be classes …
ROWS_EACH = 5  # … when there are at least this many rows for each


@dataclass(frozen=True)
class Target:
    """`values` are codes (n,) int64 or numbers (n,) float64; `usable` (n,) says which rows to keep.

    For several targets, the `heads`, `values` (n, heads) are codes or numbers as float64 with NaN for missing.
    """

    task: Task
    values: np.ndarray
    classes: tuple[str, ...]
    usable: np.ndarray
    notes: tuple[str, ...]
    heads: tuple[Head, ...] = ()

    @property
    def asks(self) -> Task | None:
        """The task where the classes alone do not say it."""
        return self.task if self.heads or self.task == "ordinal" else None


def infer_task(values: pd.Series, task: str | None = None, name: str = "target") -> Task:
    """The task a target asks for; `task` overrides and is refused with a UserError where it cannot be.

    Texts, bools and categories are classes. Two different numbers are classes; so are up to 20 different whole
    numbers with at least five rows each on average. All other numbers are a regression.
    """
    if task is not None and task not in get_args(Task):
        raise UserError(f"there is no task '{task}'{suggest(task, get_args(Task))}")
    if task in SEVERAL:
        lists = ", or a column of lists" * (task == "multilabel")
        raise UserError(f"task {task} needs several targets{lists}, but there is only '{name}': name more of them")
    if is_date(values):
        raise UserError(f"target '{name}' holds dates: expected classes or numbers")
    levels = _levels(values, name)
    numeric = _numeric(values, levels)
    if task == "regression":
        if not numeric:
            some = ", ".join(f"'{text}'" for text in levels.texts[:3])
            raise UserError(f"task regression needs numbers, but target '{name}' holds text ({some}): leave task out")
        return "regression"
    if task is None and numeric and not _few_numbers(numbers(values).values):
        return "regression"
    return _class_task(levels, task, name)


def class_names(values: pd.Series) -> np.ndarray:
    """The class of each row as text (n,), None where it is missing or infinite; `3`, `3.0` and 3 are the same class."""
    levels = _levels(values, str(values.name))
    texts: list[str | None] = list(levels.texts)
    if not isinstance(values.dtype, pd.CategoricalDtype):
        texts = [_plain(text) for text in levels.texts]
    return np.asarray(np.array([*texts, None], dtype=object)[levels.codes])


def sorted_classes(names: np.ndarray) -> tuple[str, ...]:
    """The different names sorted: as numbers when all are, else as text."""
    different = {str(name) for name in names if name is not None}
    try:
        return tuple(sorted(different, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(different))


def codes_of(names: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """int64 codes (n,) into the classes, -1 for what is not among them."""
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)


def code_target(values: pd.Series, name: str, task: str | None, tested: np.ndarray, as_classes: bool = False) -> Target:
    """The coded target; rows without one, and classes with fewer than two rows outside `tested`, are not usable.

    `as_classes` takes numbers as class names (folders named 0 to 9) unless the task says otherwise.
    """
    if as_classes and task != "regression":
        values = pd.Series(pd.Categorical(categories(values)))
    _check_present(values, name)
    if infer_task(values[~tested], task, name) == "regression":
        return _values(values, name)
    return _classes(values, name, task, tested)


def without_points(values: pd.Series, known: pd.Series) -> pd.Series:
    """Class names without a trailing point, where that makes them the known ones (as in Adult's test file)."""
    names, known_names = categories(values), set(categories(known)) - {None}
    ours = set(names) - {None}
    if ours <= known_names or not {name.rstrip(".") for name in ours} <= known_names:
        return values
    return pd.Series([None if name is None else name.rstrip(".") for name in names], dtype=object)


def _classes(values: pd.Series, name: str, task: str | None, tested: np.ndarray) -> Target:
    names = class_names(values)
    learnt = pd.Series(names[~tested]).value_counts()
    rare = sorted(set(names) - {None} - set(learnt.index[learnt >= 2]), key=str)
    absent = np.array([n is None for n in names])
    usable = ~absent & ~np.isin(names.astype(str), rare) if rare else ~absent
    classes = sorted_classes(names[usable])
    if len(classes) < 2:
        only = f"one class only ('{classes[0]}')" if classes else "no class with two rows"
        raise UserError(f"target '{name}' has {only}: expected at least two classes with two rows each")
    kind = _class_task(Levels(codes_of(names, classes), list(classes)), task, name)
    codes = codes_of(names, classes)
    notes = _said_absent(int(absent.sum()), name)
    if rare:
        few = int((~usable & ~absent).sum())
        shown = ", ".join(f"'{r}'" for r in rare[:5]) + (", …" if len(rare) > 5 else "")
        notes += (f"{counted(few, 'row')} left out: fewer than two rows of a class to learn from ({shown})",)
    return Target(kind, codes, classes, usable, (*notes, _said_classes(codes[usable], classes, name, kind)))


def _values(values: pd.Series, name: str) -> Target:
    found = numbers(values)
    usable = ~np.isnan(found.values)
    notes: tuple[str, ...] = ()
    if found.infinite:
        notes += (f"{counted(found.infinite, 'row')} left out: target '{name}' is infinite there",)
    notes += _said_absent(int((~usable).sum()) - found.infinite, name)
    if len(np.unique(found.values[usable])) < 2:
        raise UserError(f"target '{name}' has the same value in every row: there is nothing to predict")
    low, high = found.values[usable].min(), found.values[usable].max()
    said = f"target '{name}' runs from {low:g} to {high:g}: regression"
    return Target("regression", found.values, (), usable, (*notes, said))


def _class_task(levels: Levels, task: str | None, name: str) -> Task:
    count, rows = len(levels.texts), levels.present
    if task == "binary" and count > 2:
        many = int((levels.counts >= 2).sum())
        if many > 2:
            raise UserError(f"task binary needs two classes, but target '{name}' has {many}: use task multiclass")
    if task == "multiclass" and count == 2:
        raise UserError(f"task multiclass needs more than two classes, but target '{name}' has 2: use task binary")
    if count > max(FEW, rows / 2):
        raise UserError(
            f"target '{name}' has {count} different values in {rows} rows: expected classes that repeat, or numbers"
        )
    return "binary" if count <= 2 or task == "binary" else "multiclass"


def _few_numbers(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    different = np.unique(present)
    whole = bool(np.all(different == np.floor(different)))
    return len(different) <= 2 or (whole and len(different) <= FEW and len(present) >= ROWS_EACH * len(different))


def _numeric(values: pd.Series, levels: Levels) -> bool:
    if isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(values.dtype):
        return False
    return is_number(values) or mostly_numbers(levels)


def _levels(values: pd.Series, name: str) -> Levels:
    levels = to_levels(values)
    if levels is None:
        raise UserError(f"target '{name}' holds lists or other objects: expected classes or numbers")
    return levels


def _plain(text: str) -> str | None:
    """The text of a class, a number among them in its shortest form."""
    try:
        number = float(text)
    except ValueError:
        return text
    return texts_of_numbers([number])[0] if np.isfinite(number) else None


def _check_present(values: pd.Series, name: str) -> None:
    levels = _levels(values, name)
    if levels.present == 0:
        raise UserError(f"target '{name}' is missing in every row: choose another column")


def _said_absent(count: int, name: str) -> tuple[str, ...]:
    return (f"{counted(count, 'row')} left out: target '{name}' is missing there",) if count else ()


def _said_classes(codes: np.ndarray, classes: tuple[str, ...], name: str, task: str) -> str:
    shares = np.bincount(codes, minlength=len(classes)) / max(len(codes), 1)
    shown = [f"{c} {s:.1%}" for c, s in zip(classes[:5], shares, strict=False)]
    return f"target '{name}' has {len(classes)} classes ({', '.join(shown)}{', …' if len(classes) > 5 else ''}): {task}"
