"""Anchor boxes by k-means under the IoU distance.

Redmon and Farhadi 2017, "YOLO9000: Better, Faster, Stronger", section 2, "Dimension Clusters" (arXiv 1612.08242): the
distance of two boxes is 1 - IoU when they share a corner, so that large boxes do not count for more than small ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.boxes.boxes import Boxes
from steelyard.errors import UserError

Array = np.ndarray
FITTED = 5_000  # boxes that the clusters are found on; all are scored
RESTARTS, FOLDS, STEPS = 8, 5, 100
MATTERS = 0.01  # of mean IoU: less is not worth another anchor
SHOWN = 1_500  # boxes in the picture


@dataclass(frozen=True)
class Clustering:
    """k anchors (width, height), the smallest first, and the share of boxes for which each is the best.

    `mean_iou` is the mean best IoU of all boxes; `held_out` that of boxes in images that the anchors were not found
    on, with its `standard_error` over images: None where there are too few images for that.
    """

    k: int
    mean_iou: float
    held_out: float | None
    standard_error: float | None
    anchors: tuple[tuple[float, float], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Anchors:
    """Anchors for every k; `pick` is the smallest k that is about as good as any.

    `unit`: sizes are shares of the image's width and height, or pixels; `why` says how that was chosen. `sample` are
    sizes of boxes to draw.
    """

    source: str
    unit: Literal["relative", "pixels"]
    why: str
    boxes: int
    images: int
    clusterings: tuple[Clustering, ...]
    pick: int
    seed: int
    notes: tuple[str, ...] = ()
    sample: tuple[tuple[float, float], ...] = ()
    output: str = ""
    command: str = ""

    def of(self, k: int) -> Clustering:
        """The clustering with k anchors; UserError when it was not asked for."""
        for each in self.clusterings:
            if each.k == k:
                return each
        raise UserError(f"there are anchors for k = {', '.join(str(each.k) for each in self.clusterings)}, not {k}")


def find_anchors(boxes: Boxes, ks: Sequence[int], seed: int = 0, relative: bool | None = None) -> Anchors:
    """The anchors for each k; `relative` None: as the source allows. Raises UserError."""
    sizes, unit, why = _measured(boxes, relative)
    wanted = sorted(set(ks))
    different = len(np.unique(sizes, axis=0))
    if not wanted or wanted[0] < 1:
        raise UserError(f"k is a number of anchors from 1, got {', '.join(map(str, ks)) or 'none'}")
    if wanted[-1] > different:
        raise UserError(
            f"{wanted[-1]} anchors need as many different boxes; {boxes.name} has {different}: ask for a smaller k"
        )
    stream = np.random.default_rng(seed)
    fitted = sizes if len(sizes) <= FITTED else sizes[np.sort(stream.choice(len(sizes), FITTED, replace=False))]
    found = _by_k(fitted, wanted, stream)
    held = _held_out(sizes, boxes.owners, wanted, stream)
    clusterings = tuple(_described(sizes, found[k], held.get(k)) for k in wanted)
    shown = sizes if len(sizes) <= SHOWN else sizes[np.sort(stream.choice(len(sizes), SHOWN, replace=False))]
    return Anchors(
        boxes.name,
        unit,
        why,
        len(boxes),
        len(np.unique(boxes.owners)),
        clusterings,
        _pick(clusterings),
        seed,
        boxes.notes,
        tuple((float(w), float(h)) for w, h in shown),
    )


def iou(sizes: Array, anchors: Array) -> Array:
    """The IoU (n, k) of boxes (n, 2) and anchors (k, 2) that share a corner."""
    shared = np.minimum(sizes[:, None], anchors).prod(axis=2)
    return np.asarray(shared / (sizes.prod(axis=1)[:, None] + anchors.prod(axis=1) - shared))


def k_means(sizes: Array, k: int, stream: np.random.Generator, start: Array | None = None) -> tuple[Array, float]:
    """k anchors for boxes (n, 2) and their mean best IoU: the best that was met on the way from a start.

    Without a start the first anchors are drawn as k-means++ does (Arthur and Vassilvitskii 2007).
    """
    anchors = _drawn(sizes, k, stream) if start is None else start
    best, score = anchors, -1.0
    for _ in range(STEPS):
        near = iou(sizes, anchors)
        mean = float(near.max(axis=1).mean())
        if mean <= score + 1e-9:
            break
        best, score = anchors, mean
        nearest = near.argmax(axis=1)
        counts = np.bincount(nearest, minlength=k)
        sums = np.column_stack([np.bincount(nearest, sizes[:, side], k) for side in (0, 1)])
        anchors = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], anchors)
    return best, score


def _measured(boxes: Boxes, relative: bool | None) -> tuple[Array, Literal["relative", "pixels"], str]:
    """The sizes in the unit that was asked for or fits, and why."""
    if boxes.relative or float(boxes.sizes.max()) <= 1:
        if relative is False:
            raise UserError(f"the boxes of {boxes.name} are at most 1 wide and high: they are no pixels")
        return boxes.sizes, "relative", "no box is wider or higher than 1: the source gives shares of the image"
    if boxes.images is None:
        if relative:
            raise UserError(
                f"{boxes.name} does not say how large all images are: sizes relative to them are not known; "
                "give columns image_width and image_height, or leave --relative out"
            )
        return boxes.sizes, "pixels", "the source does not say how large all images are"
    shares = boxes.sizes / boxes.images
    if relative is not None:
        return (shares, "relative", "as asked") if relative else (boxes.sizes, "pixels", "as asked")
    if len(np.unique(boxes.images, axis=0)) == 1:
        width, height = boxes.images[0]
        return boxes.sizes, "pixels", f"all images have one size, {width:g} × {height:g}"
    return shares, "relative", "images differ in size, and a detector brings all of them to one"


def _drawn(sizes: Array, k: int, stream: np.random.Generator) -> Array:
    """k different boxes, each drawn by its squared distance from those before it."""
    chosen = [sizes[stream.integers(len(sizes))]]
    while len(chosen) < k:
        far = (1 - iou(sizes, np.array(chosen)).max(axis=1)).clip(0) ** 2
        far = np.where(far > 1e-18, far, 0.0)
        if not far.any():
            return np.array([*chosen, *sizes[stream.integers(len(sizes), size=k - len(chosen))]])
        chosen.append(sizes[stream.choice(len(sizes), p=far / far.sum())])
    return np.array(chosen)


def _by_k(sizes: Array, ks: Sequence[int], stream: np.random.Generator, restarts: int = RESTARTS) -> dict[int, Array]:
    """The best anchors of several restarts for each k; one of them adds to those of the k before."""
    found: dict[int, Array] = {}
    before: Array | None = None
    for k in ks:
        tried = [k_means(sizes, k, stream) for _ in range(restarts)]
        if before is not None:
            more = _farthest(sizes, before, k)
            tried.append(k_means(sizes, k, stream, more))
        before = max(tried, key=lambda pair: pair[1])[0]
        found[k] = before
    return found


def _farthest(sizes: Array, anchors: Array, k: int) -> Array:
    """The anchors and, until there are k, the box that fits them least: its mean IoU can only grow."""
    while len(anchors) < k:
        worst = iou(sizes, anchors).max(axis=1).argmin()
        anchors = np.vstack([anchors, sizes[worst]])
    return anchors


def _held_out(sizes: Array, owners: Array, ks: Sequence[int], stream: np.random.Generator) -> dict[int, Array]:
    """For each k the mean best IoU of each image by anchors that were found on other images, weighted by its boxes.

    (images, 2): sum over the boxes of an image and their number; empty where images are too few.
    """
    images, member = np.unique(owners, return_inverse=True)
    fold = stream.permutation(len(images))[member] % FOLDS
    fits = [np.flatnonzero(fold != f) for f in range(FOLDS)]
    usable = [k for k in ks if all(len(np.unique(sizes[rows], axis=0)) >= k for rows in fits)]
    if len(images) < 2 * FOLDS or not usable:
        return {}
    best = {k: np.zeros(len(sizes)) for k in usable}
    for f, rows in enumerate(fits):
        few = rows if len(rows) <= FITTED else stream.choice(rows, FITTED, replace=False)
        found = _by_k(sizes[few], usable, stream, restarts=2)
        for k, anchors in found.items():
            best[k][fold == f] = iou(sizes[fold == f], anchors).max(axis=1)
    counts = np.bincount(member)
    return {k: np.column_stack([np.bincount(member, best[k]), counts]) for k in usable}


def _described(sizes: Array, anchors: Array, held: Array | None) -> Clustering:
    anchors = anchors[np.argsort(anchors.prod(axis=1), kind="stable")]
    near = iou(sizes, anchors)
    shares = np.bincount(near.argmax(axis=1), minlength=len(anchors)) / len(sizes)
    mean, error = (None, None) if held is None else _mean_of_images(held)
    return Clustering(
        len(anchors),
        float(near.max(axis=1).mean()),
        mean,
        error,
        tuple((float(w), float(h)) for w, h in anchors),
        tuple(map(float, shares)),
    )


def _mean_of_images(held: Array) -> tuple[float, float]:
    """The mean over boxes, and its standard error over images (Cochran 1977, section 6.3, the ratio of two sums)."""
    sums, counts = held.T
    mean = sums.sum() / counts.sum()
    spread = (sums - mean * counts).std(ddof=1) * np.sqrt(len(counts)) / counts.sum()
    return float(mean), float(spread)


def _pick(found: Sequence[Clustering]) -> int:
    """The smallest k within one standard error of the best (Breiman et al. 1984), and within what matters."""
    known = [each for each in found if each.held_out is not None]
    if not known:
        best = found[-1].mean_iou
        return next(each.k for each in found if each.mean_iou >= best - MATTERS)
    top = max(known, key=lambda each: each.held_out or 0.0)
    room = max(MATTERS, top.standard_error or 0.0)
    return next(each.k for each in known if (each.held_out or 0.0) >= (top.held_out or 0.0) - room)
