"""The Python face of what looks at data: anchors, duplicates, probes."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from steelyard.boxes.anchors import Anchors
from steelyard.diagnosis.duplicates import Duplicates
from steelyard.diagnosis.probes.probe import Probe
from steelyard.workflow.anchors import KS, Wish, anchors_of
from steelyard.workflow.duplicates import Search, duplicates_of
from steelyard.workflow.probe import Look, probe_of


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
    call = f"steelyard.anchors({shown(source)}, k={list(ks)}, relative={relative}, seed={seed})"
    return anchors_of(Wish(source, ks, folder_of(output), relative, seed, call), watch)


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
    call = f"steelyard.duplicates({shown(source)}, target={target!r}, test={shown(test)})"
    return duplicates_of(Search(source, target, test, tuple(exclude), folder_of(output), call), watch)


def probe(
    source: Any,
    target: str | int | None = None,
    *,
    test: Any = None,
    task: str | None = None,
    exclude: Sequence[str] = (),
    seed: int = 0,
    output: str | Path | None = None,
    watch: Callable[[Any], None] = lambda _: None,
) -> Probe:
    """What each input of a table knows about the target alone and adds to the others.

    `leaks` of the record are inputs that know suspiciously much, with the reason; `useless` are inputs that may be left
    out together. Cross-validated on the rows outside the sealed test of a run with that `seed`. The page is probe.html
    in `output` (default: runs/NAME-probe). Raises UserError.
    """
    call = f"steelyard.probe({shown(source)}, target={target!r}, seed={seed})"
    return probe_of(Look(source, target, test, task, tuple(exclude), folder_of(output), seed, call), watch)


def folder_of(output: str | Path | None) -> Path | None:
    """A folder that was named, or None."""
    return Path(output) if output is not None else None


def shown(source: Any) -> str:
    """How a page says what was asked for from Python."""
    known = source is None or isinstance(source, str | Path)
    return (repr(str(source)) if source is not None else "None") if known else f"<{type(source).__name__}>"
