"""Boxes in a JSON file of the COCO kind (Lin et al. 2014, "Microsoft COCO: Common Objects in Context", 1405.0312)."""

import json
from typing import Any

import numpy as np

from steelyard.boxes.boxes import Boxes, boxes_of
from steelyard.errors import UserError

EXPECTED = 'expected an object with "annotations", each with "bbox": [x, y, width, height], and "images"'


def coco_boxes(name: str, data: bytes) -> Boxes:
    """The boxes of all annotations but those of crowds, which surround many objects at once. Raises UserError."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not readable JSON: {error}") from error
    given = whole.get("annotations") if isinstance(whole, dict) else None
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise UserError(f"{name} is no COCO file: {EXPECTED}")
    images = _images(name, whole.get("images", []))
    kept = [each for each in given if not each.get("iscrowd")]
    sizes = np.array([_size(each.get("bbox")) for each in kept], float).reshape(-1, 2)
    nowhere = (float("nan"), float("nan"))
    owners = [str(each.get("image_id")) for each in kept]
    areas = np.array([images.get(owner, nowhere) for owner in owners], float).reshape(-1, 2)
    places = [f"annotation {each.get('id', number)}" for number, each in enumerate(kept, 1)]
    return boxes_of(name, sizes, areas, owners, places)


def _images(name: str, given: Any) -> dict[str, tuple[float, float]]:
    """The size of every image by its id; two sizes for one id are an error."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise UserError(f'{name} is no COCO file: "images" is a list of objects with "id", "width" and "height"')
    found: dict[str, tuple[float, float]] = {}
    for each in given:
        key, size = str(each.get("id")), (_number(each.get("width")), _number(each.get("height")))
        if np.isfinite(size).all() and found.setdefault(key, size) != size:
            raise UserError(f"{name} has two images with the id {key}, of different sizes: ids must be unique")
    return found


def _size(box: Any) -> tuple[float, float]:
    if not isinstance(box, list) or len(box) != 4:
        return float("nan"), float("nan")
    left, top, width, height = map(_number, box)
    return (width + 0 * left, height + 0 * top)  # a box without a place is none


def _number(given: Any) -> float:
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else float("nan")
