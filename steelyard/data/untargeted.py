"""A source as a data set without a target: every column or image is looked at, nothing is predicted from it."""

import os
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import source as sources
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.files import located
from steelyard.data.image_dataset import images_like
from steelyard.data.table_dataset import typed_columns
from steelyard.data.tables import select
from steelyard.errors import UserError

SHAPE = (64, 64, 3)  # to which images outside class folders are brought


def read_untargeted(source: Any, test: Any = None) -> Dataset:
    """The rows of a source; `test` is a second one, whose rows become the part "test". Raises UserError.

    Images in class folders keep their classes as targets.
    """
    if sources._is_images(source, flat=True):
        return _images(source, test)
    table, _ = sources._table(source, None)
    raw, part, origin = table.frame, None, [str(row) for row in range(1, len(table.frame) + 1)]
    if test is not None:
        other, _ = sources._table(test, None)
        below = select(other, tuple(raw.columns))
        part = np.array(["train"] * len(raw) + ["test"] * len(below))
        origin += [f"test {row}" for row in range(1, len(below) + 1)]
        raw = pd.concat([raw, below], ignore_index=True)
    if len(raw) < 2:
        raise UserError(f"{table.name} has {len(raw)} rows: there is nothing to compare")
    typed = typed_columns(raw, np.ones(len(raw), bool), table.name)
    schema = Schema("tabular", "", typed.columns)
    notes = (*table.notes, *typed.notes)
    return Dataset(table.name, schema, None, frame=typed.frame, part=part, origin=tuple(origin), notes=notes)


def _images(source: Any, test: Any) -> Dataset:
    try:
        return sources.read(source, None, test=test)
    except UserError:
        if test is not None or not isinstance(source, str | os.PathLike):
            raise
    return images_like(located(os.fspath(source))[0], Schema("image", "", shape=SHAPE), ())
