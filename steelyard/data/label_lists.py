"""A column of lists of labels (Python lists, JSON lists, texts such as `rock|jazz`) to a yes or no for each label."""

import json
from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.delimited import MISSING
from steelyard.data.targets import Target
from steelyard.data.words import counted
from steelyard.errors import UserError
from steelyard.problem import Head

NO_YES = ("no", "yes")
MARKS = ("|", ";", ",")
MOST = 1000  # labels
SHOWN = 5
Labels = frozenset[str]


def hold_lists(values: pd.Series, task: str | None) -> bool:
    """Whether a column holds lists of labels: objects or JSON, and texts with marks where multilabel is asked for."""
    if task not in {None, "multilabel"}:
        return False
    present = [value for value in values if _there(value)]
    if not present or not all(_is_list(value) or isinstance(value, str) for value in present):
        return False
    if all(_is_list(value) or _json(value) is not None for value in present):
        return True
    return task == "multilabel" and any(mark in text for text in present if isinstance(text, str) for mark in MARKS)


def code_lists(values: pd.Series, name: str, task: str | None, tested: np.ndarray) -> Target:
    """A head for every label that at least two rows outside `tested` have and two have not."""
    rows = _sets(values)
    usable = np.array([row is not None for row in rows])
    learnt = [row for row, test in zip(rows, tested, strict=True) if row is not None and not test]
    counts = Counter(label for row in learnt for label in row)
    every = sorted({label for row in rows if row is not None for label in row})
    kept = [label for label in every if 2 <= counts[label] <= len(learnt) - 2]
    if not kept:
        raise UserError(
            f"target '{name}' holds lists, but no label that some rows have and others have not (of {len(every)} "
            "labels): expected at least one that two rows have"
        )
    if len(kept) > MOST:
        raise UserError(f"target '{name}' holds {len(kept):,} different labels: expected at most {MOST:,} that repeat")
    heads = tuple(Head(label, "binary", NO_YES) for label in kept)
    coded = _coded(rows, kept)
    notes = _said_left_out(every, kept, counts, len(learnt))
    if absent := int((~usable).sum()):
        notes = (f"{counted(absent, 'row')} left out: target '{name}' is missing there ('[]' is no label)", *notes)
    shares = np.nanmean(coded, axis=0)
    shown = ", ".join(f"{label} {share:.1%}" for label, share in list(zip(kept, shares, strict=True))[:SHOWN])
    each = np.nansum(coded, axis=1)[usable].mean()
    said = f"target '{name}' holds lists of {len(kept)} labels ({shown}{', …' * (len(kept) > SHOWN)}), {each:.2f} a row"
    return Target("multilabel", coded, (), usable, (*notes, f"{said}: multilabel"), heads)


def known_lists(values: pd.Series, heads: tuple[Head, ...]) -> np.ndarray:
    """Which labels rows to predict on have (n, heads); NaN where the list is missing."""
    return _coded(_sets(values), [head.name for head in heads])


def _coded(rows: list[Labels | None], labels: Collection[str]) -> np.ndarray:
    found = np.full((len(rows), len(labels)), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            found[place] = [label in row for label in labels]
    return found


def _sets(values: pd.Series) -> list[Labels | None]:
    """The labels of every row, None where they are missing."""
    texts = [value for value in values if isinstance(value, str) and _json(value) is None]
    mark = next((mark for mark in MARKS if any(mark in text for text in texts)), MARKS[0])
    return [_labels(value, mark) if _there(value) else None for value in values]


def _labels(value: Any, mark: str) -> Labels:
    given = value if _is_list(value) else _json(value)
    each = value.split(mark) if given is None else given
    return frozenset(text for text in (str(label).strip() for label in each) if text)


def _json(text: str) -> list[Any] | None:
    """The list of plain values that a text holds in JSON; None when it is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(each, str | int | float) for each in found) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset | np.ndarray)


def _there(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() not in MISSING
    return _is_list(value) or not pd.isna(value)


def _said_left_out(every: list[str], kept: list[str], counts: Counter[str], rows: int) -> tuple[str, ...]:
    """The labels that nothing can be learnt about, and why."""
    kinds = {
        "which occur in the test only": [label for label in every if counts[label] == 0],
        "which only one row has": [label for label in every if counts[label] == 1],
        "which nearly every row has": [label for label in every if counts[label] > max(1, rows - 2)],
    }
    said = []
    for why, labels in kinds.items():
        if labels:
            shown = ", ".join(f"'{label}'" for label in labels[:SHOWN]) + ", …" * (len(labels) > SHOWN)
            said.append(f"{counted(len(labels), 'label')} left out, {why}: {shown}")
    return tuple(said)
