"""Several targets at once: which task they ask for together, each one's codes or values, rows that have none."""

import numpy as np
import pandas as pd

from steelyard.data.columns import is_number, mostly_numbers, numbers, to_levels
from steelyard.data.label_lists import code_lists, hold_lists, known_lists
from steelyard.data.ordered_classes import code_ordered, is_ordered
from steelyard.data.targets import SEVERAL, Target, class_names, code_target, codes_of, infer_task, without_points
from steelyard.data.words import counted
from steelyard.errors import UserError
from steelyard.problem import Head, Task

YES_NO = ({"0", "1"}, {"-1", "1"}, {"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"absent", "present"})
SHOWN = 5  # targets that a note names


def code_targets(
    frame: pd.DataFrame,
    names: tuple[str, ...],
    task: str | None,
    tested: np.ndarray,
    order: tuple[str, ...] = (),
    as_classes: bool = False,
) -> Target:
    """The coded target or targets that columns of a raw frame hold; `tested` (n,) marks the rows of a ready test.

    One column may hold lists of labels. `order` are the classes of an ordinal target from the lowest; `as_classes`
    takes numbers as class names.
    """
    values = frame[names[0]]
    if order and (task not in {None, "ordinal"} or len(names) > 1):
        raise UserError("an order of classes is for one ordinal target: leave the order out, or the task")
    if len(names) > 1:
        return _several(frame, names, task, tested)
    if hold_lists(values, task):
        return code_lists(values, names[0], task, tested)
    if order or task == "ordinal" or (task is None and is_ordered(values)):
        return code_ordered(values, names[0], tested, order)
    return code_target(values, names[0], task, tested, as_classes)


def known_targets(frame: pd.DataFrame, names: tuple[str, ...], heads: tuple[Head, ...]) -> np.ndarray:
    """The targets (n, heads) of rows to predict on, coded as in training; NaN for what is missing or unknown."""
    if len(names) == 1:
        return known_lists(frame[names[0]], heads)
    return np.column_stack([_known(frame[head.name], head) for head in heads])


def _known(values: pd.Series, head: Head) -> np.ndarray:
    if not head.classes:
        return numbers(values).values
    codes = codes_of(class_names(values), head.classes).astype(float)
    return np.where(codes < 0, np.nan, codes)


def _several(frame: pd.DataFrame, names: tuple[str, ...], task: str | None, tested: np.ndarray) -> Target:
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"target '{name}' is named twice: name every target once")
    if task is not None and task not in SEVERAL:
        raise UserError(
            f"task {task} is for one target, and {len(names)} are named: leave task out, or name one of them"
        )
    tasks = [_task_of(frame[name], name, task, tested) for name in names]
    each = [code_target(frame[name], name, kind, tested) for name, kind in zip(names, tasks, strict=True)]
    heads = tuple(Head(name, one.task, one.classes) for name, one in zip(names, each, strict=True))
    values = np.column_stack([np.where(one.usable, one.values, np.nan) for one in each])
    present = ~np.isnan(values)
    usable = present.any(axis=1)
    together = _together(heads, task)
    notes = (_said(heads, values[usable], together), *_said_absent(heads, present, usable))
    return Target(together, values, (), usable, notes, heads)


def _task_of(values: pd.Series, name: str, task: str | None, tested: np.ndarray) -> Task | None:
    """The task of one of several targets.

    Numbers are values unless they are two, or whole and few where the task "multitask" was asked for.
    """
    levels = to_levels(values)
    declared = isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(values.dtype)
    numeric = levels is not None and not declared and (is_number(values) or mostly_numbers(levels))
    if task == "multioutput":
        if not numeric and levels is not None:
            some = ", ".join(f"'{text}'" for text in levels.texts[:3])
            raise UserError(f"task multioutput needs numbers, but target '{name}' holds {some}: leave task out")
        return "regression"
    if task == "multilabel":
        if levels is not None and len(levels.texts) > 2:
            raise UserError(
                f"task multilabel needs two classes in every target, but '{name}' has {len(levels.texts)}: "
                "use task multitask, or leave task out"
            )
        return "binary"
    if numeric and task is None and levels is not None and len(levels.texts) > 2:
        return "regression"
    return infer_task(values[~tested], None, name)


def _together(heads: tuple[Head, ...], task: str | None) -> Task:
    if task is not None:
        return task  # type: ignore[return-value]
    if all(head.task == "regression" for head in heads):
        return "multioutput"
    yes_no = all({name.lower() for name in head.classes} in YES_NO for head in heads)
    return "multilabel" if yes_no else "multitask"


def _said(heads: tuple[Head, ...], values: np.ndarray, task: Task) -> str:
    """What the targets are, in one line."""
    told = []
    for head, column in zip(heads[:SHOWN], values.T, strict=False):
        there = column[~np.isnan(column)]
        if task == "multilabel":
            told.append(f"'{head.name}' {there.mean():.1%} {head.classes[1]}")
        elif head.classes:
            told.append(f"'{head.name}' {len(head.classes)} classes")
        else:
            told.append(f"'{head.name}' {there.min():g} to {there.max():g}")
    shown = ", ".join(told) + (", …" if len(heads) > SHOWN else "")
    return f"{len(heads)} targets ({shown}): {task}"


def _said_absent(heads: tuple[Head, ...], present: np.ndarray, usable: np.ndarray) -> tuple[str, ...]:
    """What is missing: rows without any target, and single targets of rows that have others."""
    none = int((~usable).sum())
    said: tuple[str, ...] = (f"{counted(none, 'row')} left out: every target is missing there",) if none else ()
    absent = {h.name: int(n) for h, n in zip(heads, (~present[usable]).sum(axis=0), strict=True) if n}
    if absent:
        told = ", ".join(f"'{name}' in {n:,}" for name, n in list(absent.items())[:SHOWN])
        said += (f"targets missing in rows that have others: {told}{', …' * (len(absent) > SHOWN)}; they have no loss",)
    return said


def points_off(below: pd.DataFrame, above: pd.DataFrame, names: tuple[str, ...]) -> tuple[pd.DataFrame, bool]:
    """Test rows with class names that end in a point as those of the training rows do not; whether any did."""
    changed = {}
    for name in names:
        came = below[name]
        if (is_number(came) or to_levels(came) is not None) and (
            fixed := without_points(came, above[name])
        ) is not came:
            changed[name] = fixed.to_numpy()
    return below.assign(**changed), bool(changed)
