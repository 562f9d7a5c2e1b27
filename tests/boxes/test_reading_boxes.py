"""Where boxes come from: tables, Pascal VOC, COCO; what is no box is set aside and said, or refused in one line."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steelyard.boxes.anchors import find_anchors
from steelyard.boxes.reading import read_boxes
from steelyard.errors import UserError


def voc(boxes: list[tuple[Any, Any, Any, Any]], width: object = 100, height: object = 50) -> str:
    sides = ("xmin", "ymin", "xmax", "ymax")
    drawn = "".join(
        "<object><name>a</name><bndbox>"
        + "".join(f"<{s}>{v}</{s}>" for s, v in zip(sides, box, strict=True) if v is not None)
        + "</bndbox></object>"
        for box in boxes
    )
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{drawn}</annotation>"


def coco(boxes: list[Any], images: object = None, **more: Any) -> bytes:
    notes = [{"id": i, "image_id": 1, "bbox": box} | more for i, box in enumerate(boxes, 1)]
    known = [{"id": 1, "width": 100, "height": 50}] if images is None else images
    return json.dumps({"images": known, "annotations": notes}).encode()


def test_every_form_of_a_table_gives_the_same_sizes(tmp_path: Path) -> None:
    corners = np.array([[0, 0, 10, 20], [5, 5, 45, 15.0]])
    sizes = corners[:, 2:] - corners[:, :2]
    forms = {
        "x1,y1,x2,y2": corners,
        "XMin,YMin,XMax,YMax": corners,
        "left,top,right,bottom": corners,
        "x,y,w,h": np.hstack([corners[:, :2], sizes]),
        "x,y,width,height": np.hstack([corners[:, :2], sizes]),
        "w,h": sizes,
    }
    for header, values in forms.items():
        file = tmp_path / "boxes.csv"
        np.savetxt(file, values, delimiter=",", header=header, comments="")
        assert read_boxes(file).sizes.tolist() == sizes.tolist(), header
    assert read_boxes(corners).sizes.tolist() == read_boxes(sizes).sizes.tolist() == sizes.tolist()


def test_width_and_height_beside_corners_are_those_of_the_image() -> None:
    frame = pd.DataFrame(
        {
            "filename": ["a", "a", "b"],
            "width": [100, 100, 50],
            "height": 50,
            "xmin": 0,
            "ymin": 0,
            "xmax": 10,
            "ymax": 5,
        }
    )
    boxes = read_boxes(frame)
    assert boxes.images is not None and boxes.images[:, 0].tolist() == [100, 100, 50]
    assert boxes.owners.tolist() == [0, 0, 1] and boxes.sizes[0].tolist() == [10, 5]


def test_voc_and_coco_say_the_same_of_the_same_boxes(tmp_path: Path) -> None:
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "1.xml").write_text(voc([(0, 0, 10, 20), (5, 5, 45, 15)]))
    (tmp_path / "notes.json").write_bytes(coco([[0, 0, 10, 20], [5, 5, 40, 10]]))
    with zipfile.ZipFile(tmp_path / "voc.zip", "w") as archive:
        archive.write(tmp_path / "voc" / "1.xml", "deep/1.xml")
    for name in ("voc", "voc/1.xml", "voc.zip", "notes.json"):
        boxes = read_boxes(tmp_path / name)
        assert boxes.sizes.tolist() == [[10, 20], [40, 10]], name
        assert boxes.images is not None and boxes.images.tolist() == [[100, 50]] * 2
        assert boxes.owners.tolist() == [0, 0]


def test_crowds_are_no_boxes(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_bytes(coco([[0, 0, 10, 20]], iscrowd=1))
    with pytest.raises(UserError, match="holds no boxes"):
        read_boxes(tmp_path / "notes.json")


def test_units_follow_the_source_and_are_explained() -> None:
    frame = pd.DataFrame({"xmin": 0, "ymin": 0, "xmax": np.arange(5, 30), "ymax": 9})
    assert find_anchors(read_boxes(frame), (3,)).unit == "pixels"
    same = frame.assign(image_width=100, image_height=50)
    found = find_anchors(read_boxes(same), (3,))
    assert (found.unit, found.why) == ("pixels", "all images have one size, 100 × 50")
    different = same.assign(image_width=np.arange(100, 125))
    assert find_anchors(read_boxes(different), (3,)).unit == "relative"
    assert find_anchors(read_boxes(different), (3,), relative=False).unit == "pixels"
    shares = find_anchors(read_boxes(frame / 100), (3,))
    assert shares.unit == "relative" and "no box is wider or higher than 1" in shares.why


def test_boxes_that_are_none_are_set_aside_and_said(tmp_path: Path) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text("x1,y1,x2,y2\n0,0,5,5\n5,5,1,9\n0,0,0,4\n1,2,,3\n0,0,inf,4\n0,0,7,7\n")
    boxes = read_boxes(file)
    assert boxes.sizes.tolist() == [[5, 5], [7, 7]]
    assert boxes.notes == (
        "2 boxes without all coordinates as finite numbers set aside: row 4, row 5",
        "2 boxes whose width or height is zero or negative set aside: row 2, row 3",
    )
    (tmp_path / "1.xml").write_text(voc([(0, 0, 5, 5), (9, 0, 5, 5), (None, 0, 5, 5), ("a", 0, 5, 5)]))
    notes = read_boxes(tmp_path / "1.xml").notes
    assert "1.xml object 3, 1.xml object 4" in notes[0] and "1.xml object 2" in notes[1]
    (tmp_path / "c.json").write_bytes(coco([[0, 0, 5, 5], [0, 0, -5, 5], None, [1, 2, 3], [0, 0, True, 1]]))
    notes = read_boxes(tmp_path / "c.json").notes
    assert "3 boxes without all" in notes[0] and "annotation 2" in notes[1]


def test_xml_is_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;">]>' + voc([(0, 0, "&m;", 5)])
    outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + voc([(0, 0, "&x;", 5)])
    for number, text in enumerate((bomb, outside, '<!DOCTYPE annotation SYSTEM "http://127.0.0.1/x.dtd">' + voc([]))):
        for encoding in ("utf-8", "utf-16"):
            file = tmp_path / f"{number}.xml"
            file.write_text(text, encoding=encoding)
            with pytest.raises(UserError, match="declares a document type or entities"):
                read_boxes(file)


BAD = {
    "headerless.csv": (b"1,2,3,4\n5,6,7,8\n", "has no header: expected columns x1,y1,x2,y2"),
    "other.csv": (b"age,income\n1,2\n3,4\n", "has no columns of boxes: expected x1,y1,x2,y2 .* got age, income"),
    "half.csv": (b"x1,y1,x2\n1,2,3\n3,4,5\n", "lacks the column y2 of its boxes"),
    "negative.csv": (b"x1,y1,x2,y2\n5,5,1,9\n5,5,1,1\n", "holds no usable box: 2 boxes whose width or height is zero"),
    "words.csv": (b"x1,y1,x2,y2\na,b,c,d\ne,f,g,h\n", "holds no usable box: 2 boxes without all coordinates"),
    "cut.xml": (b"<annotation><object>", "cannot be read as Pascal VOC XML"),
    "empty.xml": (b"", "cannot be read as Pascal VOC XML"),
    "none.xml": (b"<annotation/>", "holds no boxes: none of its XML files"),
    "cut.json": (b'{"images": [', "is not readable JSON"),
    "binary.json": (bytes(range(256)), "is not readable JSON"),
    "deep.json": (b"[" * 100_000, "is not readable JSON"),
    "list.json": (b"[1, 2]", 'expected an object with "annotations"'),
    "torn.json": (b'{"annotations": [1]}', "is no COCO file"),
    "images.json": (b'{"annotations": [], "images": 3}', '"images" is a list'),
    "twice.json": (
        coco([[0, 0, 1, 2]], [{"id": 1, "width": 10, "height": 10}, {"id": 1, "width": 20, "height": 10}]),
        "two images with the id 1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_boxes_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, words = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        read_boxes(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_without_boxes_and_arrays_of_other_shapes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("hello")
    with pytest.raises(UserError, match=r"holds no boxes.*note.md"):
        read_boxes(tmp_path)
    for wrong in (np.zeros((3, 3)), np.zeros(4), ["a", "b"], None):
        with pytest.raises(UserError, match="boxes are a table of boxes"):
            read_boxes(wrong)
    with pytest.raises(UserError, match="holds no boxes"):
        read_boxes(np.zeros((0, 2)))


def test_relative_boxes_are_no_pixels() -> None:
    with pytest.raises(UserError, match="they are no pixels"):
        find_anchors(read_boxes(np.random.default_rng(0).uniform(0.1, 0.9, (30, 2))), (3,), relative=False)
