"""The Python face of what looks at data: anchors, duplicates, probes, label errors."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from steelyard.boxes.anchors import Anchors
from steelyard.diagnosis.duplicates import Duplicates
from steelyard.diagnosis.labels import LabelErrors
from steelyard.diagnosis.probes.probe import Probe
from steelyard.runs import Run
from steelyard.workflow.anchors import KS, Wish, anchors_of
from steelyard.workflow.duplicates import Search, duplicates_of
from steelyard.workflow.labels import SECONDS, find_labels
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
    call = f"steelyard.probe({_shown(source)}, target={target!r}, seed={seed})"
    return probe_of(Look(source, target, test, task, tuple(exclude), _folder(output), seed, call), watch)


def label_errors(
    run: str | Path | Run,
    *,
    time_limit: float = SECONDS,
    output: str | Path | None = None,
    watch: Callable[[Any], None] = lambda _: None,
) -> LabelErrors:
    """The labels in the data of a finished run that are likely wrong, by models that did not learn from their rows.

    `suspects` of the record come in the order in which to look at them; the test stays sealed. The page is labels.html
    in `output` (default: diagnosis in the folder of the run), where `steelyard labels review` finds them. Needs
    cleanlab. Raises UserError.
    """
    known = run if isinstance(run, Run) else None
    folder = known.folder if known else Path(str(run))
    call = f"steelyard.label_errors({str(folder)!r}, time_limit={time_limit:g})"
    ask, network = (known.ask, known.network) if known else (None, None)
    return find_labels(folder, time_limit, _folder(output), ask, watch, call, network)


def _folder(output: str | Path | None) -> Path | None:
    return Path(output) if output is not None else None


def _shown(source: Any) -> str:
    """How a page says what was asked for from Python."""
    known = source is None or isinstance(source, str | Path)
    return (repr(str(source)) if source is not None else "None") if known else f"<{type(source).__name__}>"
