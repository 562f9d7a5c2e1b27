"""Small panels, one a feature: how its values lie in two sources."""

from collections.abc import Sequence

import numpy as np

from steelyard.diagnosis.shift.histogram import Histogram
from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing

ACROSS = {NARROW: 1, WIDE: 3}
HIGH, ABOVE, BELOW, LEGEND = 84.0, 30.0, 40.0, 26.0  # pixels
BARS = 8  # levels in a panel


def histograms(given: Sequence[tuple[str, Histogram]], names: tuple[str, str], words: str) -> Drawing:
    """A panel for every (title, histogram): the first source filled, the second one as a line over it."""
    pictures = []
    for width in (NARROW, WIDE):
        across = min(ACROSS[width], max(1, len(given)))
        cell, down = width / ACROSS[width], -(-len(given) // across)
        canvas = Canvas(width, LEGEND + down * (ABOVE + HIGH + BELOW))
        room = width / 2 - 30
        for x, name, colour in ((0.0, names[0], "muted"), (width / 2, names[1], "accent")):
            canvas.text(x, 9, "■", colour, ha="left", fontsize=SMALL + 3)
            canvas.text(x + 16, 9, name, room=room, ha="left", fontsize=SMALL + 0.5)
        for place, (title, histogram) in enumerate(given):
            x = cell * (place % across) + 4
            y = LEGEND + (ABOVE + HIGH + BELOW) * (place // across) + ABOVE
            canvas.text(x, y - 15, title, room=cell - 16, ha="left", fontsize=SMALL + 0.5, fontweight="bold")
            _panel(canvas, histogram, x, y, cell - 24)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _panel(canvas: Canvas, histogram: Histogram, x: float, y: float, width: float) -> None:
    axes = canvas.axes(x, y, width, HIGH)
    axes.set_yticks([])
    if histogram.edges:
        edges = np.array(histogram.edges)
        axes.stairs(histogram.first, edges, fill=True, color=COLOURS["muted"], alpha=0.4)
        axes.stairs(histogram.second, edges, color=COLOURS["accent"], linewidth=1.8)
        axes.set_xlim(edges[0], edges[-1])
        axes.locator_params(axis="x", nbins=4)
    else:
        order = np.argsort(-np.maximum(histogram.first, histogram.second), kind="stable")[:BARS]
        at = np.arange(len(order))
        axes.bar(at - 0.2, np.array(histogram.first)[order], 0.38, color=COLOURS["muted"], alpha=0.5)
        axes.bar(at + 0.2, np.array(histogram.second)[order], 0.38, color=COLOURS["accent"])
        axes.set_xticks([])
        axes.set_xlim(-0.6, len(order) - 0.4)
        step = width / len(order)
        for place, level in enumerate(order):
            middle = x + step * (place + 0.5)
            canvas.text(middle, y + HIGH + 10, histogram.labels[level], "muted", step - 2, ha="center", fontsize=SMALL)
    axes.axhline(0, color=COLOURS["rule"], linewidth=1)
    axes.set_ylim(0, 1.05 * max(*histogram.first, *histogram.second, 1e-9))
