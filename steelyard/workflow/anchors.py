"""Anchor boxes from a source of boxes: the record, and the page and JSON that lie in a folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.boxes.anchors import Anchors, find_anchors
from steelyard.boxes.boxes import listed
from steelyard.boxes.reading import read_boxes
from steelyard.records import Said
from steelyard.trials.clock import Clock
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named

Watch = Callable[[Any], None]
NAME = "anchors"
KS = tuple(range(3, 13))


@dataclass(frozen=True)
class Wish:
    """What is asked for; `relative` None lets the source decide."""

    source: Any
    ks: Sequence[int] = KS
    output: Path | None = None
    relative: bool | None = None
    seed: int = 0
    command: str = ""


def anchors_of(wish: Wish, watch: Watch = lambda _: None) -> Anchors:
    """The anchors; anchors.html and anchors.json lie in `output` of the record. Raises UserError."""
    clock = Clock(0.0)
    boxes = read_boxes(wish.source)
    for text in (listed(boxes), *boxes.notes):
        watch(Said("define", text, round(clock.now(), 2)))
    found = find_anchors(boxes, wish.ks, wish.seed, wish.relative)
    folder = folder_named(wish.source, wish.output, NAME)
    from steelyard.report.anchors import anchors_page

    return laid_down(found, folder, NAME, anchors_page, wish.command)
