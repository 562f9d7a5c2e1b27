"""Boxes in a table: corners, a corner or the middle with width and height, or width and height alone."""

import numpy as np
import pandas as pd

from steelyard.boxes.boxes import Boxes, boxes_of
from steelyard.data.columns import numbers
from steelyard.data.tables import RawTable
from steelyard.errors import UserError

CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
SIZES = (("w", "h"), ("width", "height"), ("box_width", "box_height"), ("bbox_width", "bbox_height"))
IMAGES = (
    ("image_width", "image_height"),
    ("img_width", "img_height"),
    ("img_w", "img_h"),
    ("imwidth", "imheight"),
    ("width", "height"),
)
OWNERS = ("image", "image_id", "imageid", "filename", "file_name", "file", "path", "img")


def table_boxes(table: RawTable) -> Boxes:
    """The boxes of a table, a row each; columns are known by their names, capitals aside. Raises UserError."""
    columns = {str(name).strip().lower(): name for name in table.frame.columns}
    found = _first(CORNERS, columns)
    if found:
        left, top, right, bottom = (_numbers(table.frame, columns[name]) for name in found)
        sizes, taken = np.column_stack([right - left, bottom - top]), set(found)
    elif pair := _first(SIZES, columns):
        sizes, taken = np.column_stack([_numbers(table.frame, columns[name]) for name in pair]), set(pair)
    else:
        raise UserError(_unknown(table, list(columns)))
    others = _first(tuple(pair for pair in IMAGES if not taken & set(pair)), columns)
    images = np.full((len(sizes), 2), np.nan)
    if others:
        images = np.column_stack([_numbers(table.frame, columns[name]) for name in others])
    owner = next((columns[name] for name in OWNERS if name in columns), None)
    owners = list(range(len(sizes))) if owner is None else table.frame[owner].tolist()
    return boxes_of(table.name, sizes, images, owners, [f"row {row}" for row in range(1, len(sizes) + 1)])


def _first(choices: tuple[tuple[str, ...], ...], columns: dict[str, str]) -> tuple[str, ...] | None:
    return next((names for names in choices if all(name in columns for name in names)), None)


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return numbers(frame[name]).values


def _unknown(table: RawTable, names: list[str]) -> str:
    wanted = "x1,y1,x2,y2 or xmin,ymin,xmax,ymax or x,y,w,h or w,h"
    if table.numbered or all(name.replace(".", "", 1).isdecimal() for name in names):
        return f"{table.name} has no header: expected columns {wanted}"
    if missing := _almost(names):
        return f"{table.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} of its boxes"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{table.name} has no columns of boxes: expected {wanted}, got {shown}"


def _almost(names: list[str]) -> list[str]:
    """What is missing from a form of which half is there."""
    for form in (*CORNERS, *SIZES):
        missing = [name for name in form if name not in names]
        if len(missing) <= len(form) / 2:
            return missing
    return []
