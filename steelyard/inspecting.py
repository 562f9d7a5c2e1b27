"""The Python face of what looks at data and trains no network: anchors, duplicates, probes."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from steelyard.boxes.anchors import Anchors
from steelyard.diagnosis.duplicates import Duplicates
from steelyard.workflow.anchors import KS, Wish, anchors_of
from steelyard.workflow.duplicates import Search, duplicates_of


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
    call = f"steelyard.anchors({_shown(source)}, k={list(ks)}, relative={relative}, seed={seed})"
    return anchors_of(Wish(source, ks, _folder(output), relative, seed, call), watch)


def duplicates(
    source: Any,
    target: str | int | None = None,
    *,
    test: Any = None,
    exclude: Sequence[str] = (),
    output: str | Path | None = None,
    watch: Callable[[Any], None] = lambda _: None,
) -> Duplicates:
    """The groups of rows, texts or images of a source that are the same or nearly so.

    With a `target` it is told where labels differ; with a ready split or a second source `test` which groups cross
    into test. The page is duplicates.html in `output` (default: runs/NAME-duplicates). Raises UserError.
    """
    call = f"steelyard.duplicates({_shown(source)}, target={target!r}, test={_shown(test)})"
    return duplicates_of(Search(source, target, test, tuple(exclude), _folder(output), call), watch)


def _folder(output: str | Path | None) -> Path | None:
    return Path(output) if output is not None else None


def _shown(source: Any) -> str:
    """How a page says what was asked for from Python."""
    known = source is None or isinstance(source, str | Path)
    return (repr(str(source)) if source is not None else "None") if known else f"<{type(source).__name__}>"
