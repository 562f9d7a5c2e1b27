"""Boxes from any source: a table, a folder or zip of Pascal VOC XML, a COCO file, a frame, an array."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from steelyard.boxes.boxes import Boxes, boxes_of
from steelyard.boxes.coco import coco_boxes
from steelyard.boxes.tables import table_boxes
from steelyard.boxes.voc import voc_boxes
from steelyard.data import tables
from steelyard.data.files import TABLES, FileTree, located, opened, table_in_zip
from steelyard.errors import UserError

LARGEST = 4 * 2**30  # bytes of one unpacked file
KINDS = "a table of boxes (CSV, Parquet), a folder or zip of Pascal VOC XML files, or a COCO JSON file"


def read_boxes(source: Any) -> Boxes:
    """The boxes of a source: a path, a frame, or an array (n, 2) of widths and heights or (n, 4) of corners.

    Raises UserError for what is none of these or holds no usable box.
    """
    if isinstance(source, str | os.PathLike):
        return _of_path(*located(os.fspath(source)))
    if tables.is_table(source):
        return table_boxes(tables.from_frame(source))
    x = np.asarray(source)
    if x.ndim != 2 or x.shape[1] not in {2, 4} or x.dtype.kind not in "iuf":
        raise UserError(
            f"boxes are {KINDS}, a frame, or an array (n, 2) of widths and heights or (n, 4) of corners x1, y1, x2, "
            f"y2; got {type(source).__name__} of shape {x.shape}"
        )
    x = x.astype(float)
    sizes = x if x.shape[1] == 2 else x[:, 2:] - x[:, :2]
    places = [f"row {row}" for row in range(len(sizes))]
    return boxes_of("array", sizes, np.full(sizes.shape, np.nan), list(range(len(sizes))), places)


def _of_path(path: Path, inside: str) -> Boxes:
    if inside:
        name, data = table_in_zip(path, inside)
        return _of_content(PurePosixPath(name).name, data)
    if path.is_file() and path.suffix.lower() not in {".zip", ".xml"}:
        return _of_content(path.name, path.read_bytes())
    with opened(path) as tree:
        if any(each.lower().endswith(".xml") for each in tree.paths):
            return voc_boxes(path.name, tree)
        found = [each for each in tree.paths if PurePosixPath(each).suffix.lower() in {".json", *TABLES}]
        if len(found) != 1:
            listed = ", ".join(tree.paths[:4]) or "it is empty"
            raise UserError(f"{path.name} holds no boxes, or more than one file of them ({listed}): expected {KINDS}")
        return _of_content(PurePosixPath(found[0]).name, _content(tree, found[0]))


def _of_content(name: str, data: bytes) -> Boxes:
    return coco_boxes(name, data) if name.lower().endswith(".json") else table_boxes(tables.from_bytes(data, name))


def _content(tree: FileTree, path: str) -> bytes:
    if tree.size(path) > LARGEST:
        raise UserError(f"{path} in {tree.root.name} is larger than {LARGEST >> 30} GB: unpack it yourself")
    try:
        return tree.read(path)
    except OSError as error:
        raise UserError(f"cannot read {path} in {tree.root.name}: {error}") from error
