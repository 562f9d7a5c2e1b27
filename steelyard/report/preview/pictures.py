"""Images before and after augmentation: a row an example, the image as it is on the left."""

import io
import warnings
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from steelyard.techniques.preview import Preview

CELL, TITLE, LABEL, MARGIN = 104.0, 34.0, 18.0, 8.0  # pixels
DPI = 144
FONT = 9.0  # pixels
ROOM = 22  # characters beside each other over a cell
STYLE = {"text.parse_math": False, "text.usetex": False, "font.family": ["DejaVu Sans"]}


def view(preview: Preview) -> bytes:
    """A PNG."""
    columns = [("as it is", preview.inputs[0], preview.labels, "")]
    columns += [(each.name, each.inputs[0], each.labels, each.note) for each in preview.after]
    rows, notes = len(preview.labels), list(dict.fromkeys(note for *_, note in columns if note))
    width = 2 * MARGIN + CELL * len(columns)
    height = 2 * MARGIN + TITLE + rows * (CELL + LABEL) + LABEL * len(notes)
    figure = Figure(figsize=(width / 72, height / 72), dpi=DPI)
    largest = max(preview.inputs[0].shape[-2:])
    for position, (title, images, labels, _) in enumerate(columns):
        left = MARGIN + position * CELL
        _write(figure, left + CELL / 2, MARGIN + TITLE / 2, _folded(title), width, height, weight="bold")
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            top = MARGIN + TITLE + row * (CELL + LABEL)
            _draw(_cell(figure, left, top, width, height, max(image.shape[-2:]) / largest), image)
            changed = position == 0 or label != preview.labels[row]
            _write(figure, left + CELL / 2, top + CELL + LABEL / 2 - 2, _cut(label) if changed else "", width, height)
    for number, note in enumerate(notes):
        top = height - MARGIN - LABEL * (len(notes) - number - 0.5)
        _write(figure, MARGIN, top, note, width, height, ha="left")
    return _png(figure)


def _cell(figure: Figure, left: float, top: float, width: float, height: float, scale: float) -> Axes:
    """Axes for an image; one of fewer pixels than its neighbours is shown smaller."""
    side = (CELL - 6) * min(1.0, scale)
    x, y = left + (CELL - side) / 2, top + (CELL - side) / 2
    axes = figure.add_axes((x / width, 1 - (y + side) / height, side / width, side / height))
    axes.set_axis_off()
    return axes


def _draw(axes: Axes, image: np.ndarray) -> None:
    """An image uint8 (c, h, w): grey, in colour, or the first of other channels."""
    pixels = image.transpose(1, 2, 0) if len(image) == 3 else image[0]
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _write(figure: Figure, x: float, y: float, text: str, width: float, height: float, **style: str) -> None:
    how: dict[str, Any] = {"ha": "center", "va": "center", **style}
    figure.text(x / width, 1 - y / height, text, fontsize=FONT, parse_math=False, **how)


def _folded(text: str) -> str:
    """A title on two lines at most."""
    words = text.replace(" + ", " +\n").split("\n")
    if len(words) > 2:
        words = [words[0], f"{len(words) - 1} more"]
    return "\n".join(_cut(word) for word in words)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= ROOM else f"{line[: ROOM - 1]}…"


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a class may be named in any script
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()
