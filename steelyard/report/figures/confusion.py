"""The confusion matrix as a heat map: each row is a true class, darker means a larger share of its examples."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, text_width
from steelyard.report.numbers import count

CELL = 58.0  # pixels at most
LEGIBLE = 7.0  # pixels a number needs
TITLE = 20.0  # pixels for the names of the axes

Matrix = Sequence[Sequence[int]]


def confusion_map(matrix: Matrix, classes: Sequence[str], words: str) -> Drawing:
    """A cell per pair of classes; the right answers in one colour, the mistakes in another."""
    return Drawing(_map(matrix, classes, NARROW, 84, 84).svg(words), _map(matrix, classes, WIDE, 190, 150).svg(words))


def _map(matrix: Matrix, classes: Sequence[str], width: float, beside: float, above: float) -> Canvas:
    """The map, with at most `beside` and `above` pixels for the names of rows and columns."""
    longest = max(text_width(name, SMALL) for name in classes) + 8
    left = min(longest, beside) + TITLE
    cell = min(CELL, (width - left - 2) / len(classes))
    upright = longest < cell
    top = (16 if upright else min(longest, above)) + TITLE + 2
    size = cell * len(classes)
    canvas = Canvas(width, top + size + 6)
    axes = canvas.axes(left, top, size, size)
    axes.set_xlim(0, len(classes))
    axes.set_ylim(len(classes), 0)
    axes.set_xticks([])
    axes.set_yticks([])
    _cells(axes, matrix)
    _counts(canvas, matrix, left, top, cell)
    letters = min(SMALL, max(6.0, cell * 0.9))
    turned: dict[str, Any] = {"rotation": 90, "rotation_mode": "anchor", "va": "center"}
    for k, name in enumerate(classes):
        at = (k + 0.5) * cell
        canvas.text(left - 6, top + at, name, room=left - TITLE - 6, ha="right", fontsize=letters)
        if upright:
            canvas.text(left + at, top - 10, name, ha="center", fontsize=letters)
        else:
            canvas.text(left + at, top - 6, name, room=top - TITLE - 6, ha="left", fontsize=letters, **turned)
    canvas.text(left, 8, "predicted →", "muted", ha="left", fontsize=SMALL)
    canvas.text(8, top + size / 2, "← truth", "muted", ha="center", fontsize=SMALL, **turned)
    return canvas


def _strength(row: Sequence[int], i: int, j: int) -> float:
    """How strong a cell's colour is: its share of the row; mistakes count double, so that they are seen."""
    share = row[j] / max(1, sum(row))
    return share if i == j else min(1.0, 0.08 + 2 * share)


def _cells(axes: Axes, matrix: Matrix) -> None:
    size = len(matrix)
    axes.add_patch(Rectangle((0, 0), size, size, facecolor=COLOURS["rule"], alpha=0.25, linewidth=0))
    for i, row in enumerate(matrix):
        for j, number in enumerate(row):
            if number:
                colour, strength = COLOURS["accent" if i == j else "bad"], _strength(row, i, j)
                axes.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, alpha=strength, linewidth=0))
    for k in range(size + 1):
        axes.plot([k, k], [0, size], [0, size], [k, k], color=COLOURS["paper"], linewidth=1.2)


def _counts(canvas: Canvas, matrix: Matrix, left: float, top: float, cell: float) -> None:
    """The numbers, where there is room for them."""
    longest = max(len(count(number)) for row in matrix for number in row)
    size = min(12.0, cell * 0.92 / (0.62 * longest))
    if size < LEGIBLE:
        return
    for i, row in enumerate(matrix):
        for j, number in enumerate(row):
            if number:
                ink = "paper" if _strength(row, i, j) > 0.6 else "ink"
                x, y = left + (j + 0.5) * cell, top + (i + 0.5) * cell
                canvas.text(x, y, count(number), ink, ha="center", fontsize=size)
