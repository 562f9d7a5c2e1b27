"""Boxes by their width and height, which is all that anchors ask for; what is no box is set aside and said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.data.words import counted
from steelyard.errors import UserError

SHOWN = 3  # boxes that are named where some are set aside


@dataclass(frozen=True, eq=False)
class Boxes:
    """Sizes (n, 2) of boxes, width and height, above 0.

    `images` (n, 2) are the sizes of the images they lie in, None where these are not known for all. `owners` (n,) are
    numbers of the images: boxes of one image are no independent evidence. `relative`: sizes are shares of the image
    already.
    """

    name: str
    sizes: np.ndarray
    images: np.ndarray | None
    owners: np.ndarray
    notes: tuple[str, ...] = ()
    relative: bool = False

    def __len__(self) -> int:
        return len(self.sizes)


def boxes_of(
    name: str, sizes: np.ndarray, images: np.ndarray, owners: Sequence[object], places: Sequence[str]
) -> Boxes:
    """The boxes among sizes (n, 2) and image sizes (n, 2), NaN for what is missing; `places` say where each stood.

    UserError when none is left.
    """
    if not len(sizes):
        raise UserError(f"{name} holds no boxes")
    absent = ~np.isfinite(sizes).all(axis=1)
    flat = ~absent & ~(np.where(absent[:, None], 1.0, sizes) > 0).all(axis=1)
    notes = _set_aside(absent, "without all coordinates as finite numbers", places)
    notes += _set_aside(flat, "whose width or height is zero or negative", places)
    good = ~absent & ~flat
    if not good.any():
        raise UserError(f"{name} holds no usable box: {'; '.join(notes)}")
    known = np.isfinite(images).all(axis=1) & (np.nan_to_num(images) > 0).all(axis=1)
    place: dict[object, int] = {}
    numbers = np.array([place.setdefault(owner, len(place)) for owner in owners], np.int64)
    return Boxes(name, sizes[good], images[good] if known[good].all() else None, numbers[good], notes)


def _set_aside(bad: np.ndarray, what: str, places: Sequence[str]) -> tuple[str, ...]:
    rows = np.flatnonzero(bad)
    if not len(rows):
        return ()
    shown = ", ".join(places[row] for row in rows[:SHOWN]) + (", …" if len(rows) > SHOWN else "")
    noun = "box" if len(rows) == 1 else "boxes"
    return (f"{len(rows):,} {noun} {what} set aside: {shown}",)


def listed(boxes: Boxes) -> str:
    """`266 boxes in 164 images`."""
    images = len(np.unique(boxes.owners))
    noun = "box" if len(boxes) == 1 else "boxes"
    return f"{len(boxes):,} {noun} in {counted(images, 'image')}"
