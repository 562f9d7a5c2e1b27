"""Small panels side by side, one a target: what was predicted against the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from steelyard.report.figures.canvas import NARROW, SMALL, WIDE, Canvas, Drawing
from steelyard.report.figures.residuals import draw_truth

POINTS = 250  # of one panel
ACROSS = {NARROW: 2, WIDE: 4}


@dataclass(frozen=True)
class Panel:
    """One target: its name, and (truth, predicted) of examples."""

    title: str
    points: tuple[tuple[float, float], ...]


def panels(given: Sequence[Panel], words: str) -> Drawing:
    """A grid of panels, predicted over truth, each with the line of perfect answers."""
    pictures = []
    for width in (NARROW, WIDE):
        across = min(ACROSS[width], max(2, len(given)))
        cell = width / across
        side = cell - 52
        down = -(-len(given) // across)
        canvas = Canvas(width, down * (side + 66))
        for place, panel in enumerate(given):
            x, y = cell * (place % across) + 42, (side + 66) * (place // across) + 24
            axes = canvas.axes(x, y, side, side)
            canvas.text(x, y - 14, panel.title, room=side, ha="left", fontsize=SMALL + 0.5, fontweight="bold")
            known = [(t, p) for t, p in panel.points if isfinite(t) and isfinite(p)]
            draw_truth(axes, known[:: max(1, -(-len(known) // POINTS))])
            canvas.text(x + side / 2, y + side + 26, "truth", "muted", room=side, ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)
