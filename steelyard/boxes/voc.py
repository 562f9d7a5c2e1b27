"""Boxes in XML files of the Pascal VOC kind (Everingham et al. 2010, "The Pascal Visual Object Classes Challenge")."""

import xml.etree.ElementTree as ET
from typing import NoReturn
from xml.parsers import expat

import numpy as np

from steelyard.boxes.boxes import Boxes, boxes_of
from steelyard.data.files import FileTree
from steelyard.errors import UserError

LARGEST = 16 * 2**20  # bytes of one file
SIDES = ("xmin", "ymin", "xmax", "ymax")


class Refused(ValueError):
    """An XML file that is not read."""


def voc_boxes(name: str, tree: FileTree) -> Boxes:
    """The boxes of all `.xml` files of a tree; files that cannot be read raise UserError with the first of them."""
    sizes, images, owners, places = [], [], [], []
    for path in (path for path in tree.paths if path.lower().endswith(".xml")):
        try:
            root = _parsed(tree, path)
        except (Refused, expat.ExpatError, OSError) as error:
            raise UserError(f"{path} in {name} cannot be read as Pascal VOC XML: {error}") from error
        image = [_number(root.find(f"size/{side}")) for side in ("width", "height")]
        for number, drawn in enumerate(root.iter("object"), 1):
            left, top, right, bottom = (_number(drawn.find(f"bndbox/{side}")) for side in SIDES)
            sizes.append((right - left, bottom - top))
            images.append(image)
            owners.append(path)
            places.append(f"{path} object {number}")
    if not sizes:
        raise UserError(f"{name} holds no boxes: none of its XML files has an <object> with a <bndbox>")
    return boxes_of(name, np.array(sizes, float), np.array(images, float), owners, places)


def _parsed(tree: FileTree, path: str) -> ET.Element:
    """The root of one file; a document type, which is where entities are declared, is refused, nothing expanded."""
    if tree.size(path) > LARGEST:
        raise Refused(f"larger than {LARGEST >> 20} MB")
    builder, parser = ET.TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.Parse(tree.read(path), True)
    return builder.close()


def _refuse(*_: object) -> NoReturn:
    raise Refused("it declares a document type or entities, which annotations do not need")


def _number(element: ET.Element | None) -> float:
    try:
        return float((element.text or "").strip()) if element is not None else float("nan")
    except ValueError:
        return float("nan")
