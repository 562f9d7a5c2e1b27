"""The Python face of what looks at data and trains no network: anchors, duplicates, probes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from steelyard.boxes.anchors import Anchors
from steelyard.workflow.anchors import KS, Wish, anchors_of


def anchors(
    source: Any,
    k: Iterable[int] | int = KS,
    *,
    relative: bool | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    watch: Callable[[Any], None] = lambda _: None,
) -> Anchors:
    """Anchor boxes for a detector, by k-means under 1 - IoU, for one or several `k`.

    `source` is a table of boxes, a folder or zip of Pascal VOC XML, a COCO file, a frame, or an array (n, 2) of widths
    and heights. `relative`: sizes as shares of the image; None: where images differ in size. The page is anchors.html
    in `output` (default: runs/NAME-anchors). Raises UserError.
    """
    ks = (k,) if isinstance(k, int) else tuple(k)
    folder = Path(output) if output is not None else None
    shown = repr(str(source)) if isinstance(source, str | Path) else f"<{type(source).__name__}>"
    call = f"steelyard.anchors({shown}, k={list(ks)}, relative={relative}, seed={seed})"
    return anchors_of(Wish(source, ks, folder, relative, seed, call), watch)
