"""Values that were predicted: against the truth, and what was left over."""

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import LogLocator

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, grid
from steelyard.report.numbers import tick

POINTS = 600
SKEW = 50.0  # values that span more than this, all above zero, are drawn on logarithmic axes


def residual_plots(residuals: Sequence[tuple[float, float]], words: str, target: str) -> Drawing:
    """Two panels: predicted over truth with the line of perfect answers, and the error over what was predicted."""
    known = [(t, p) for t, p in residuals if isfinite(t) and isfinite(p)]
    shown = known[:: max(1, -(-len(known) // POINTS))]
    pictures = []
    for width in (NARROW, WIDE):
        stacked = width == NARROW
        across = width - 60 if stacked else (width - 136) / 2
        high = min(across, 250)
        canvas = Canvas(width, 2 * (high + 66) if stacked else high + 66)
        second = (48.0, high + 92.0) if stacked else (48.0 + across + 76, 26.0)
        truth = canvas.axes(48, 26, across, high)
        left = canvas.axes(*second, across, high)
        for x, y, title, axis in (
            (48.0, 26.0, "predicted, against the truth", "truth"),
            (*second, "predicted minus truth", "predicted"),
        ):
            canvas.text(x - 40, y - 14, title, ha="left", fontsize=SMALL + 0.5, fontweight="bold")
            canvas.text(
                x + across / 2, y + high + 28, f"{target}, {axis}", "muted", room=across, ha="center", fontsize=SMALL
            )
        draw_truth(truth, shown)
        _left_over(left, shown)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def draw_truth(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """What was predicted over the truth, with the line of perfect answers."""
    values = [value for point in points for value in point]
    low, high = min(values), max(values)
    if low > 0 and high > SKEW * low:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.minorticks_off()
        for side in (axes.xaxis, axes.yaxis):
            side.set_major_locator(LogLocator(numticks=5))
            side.set_major_formatter(tick)
        ends = (low * 0.9, high * 1.1)
    else:
        room = (high - low) * 0.03 or 1.0
        ends = (low - room, high + room)
        axes.locator_params(nbins=4)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    grid(axes, "both")
    _dots(axes, points)
    axes.plot(ends, ends, color=COLOURS["ink"], linewidth=1.2)


def _left_over(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    errors = [(predicted, predicted - truth) for truth, predicted in points]
    reach = max(abs(error) for _, error in errors) * 1.05 or 1.0
    low, high = min(p for p, _ in errors), max(p for p, _ in errors)
    room = (high - low) * 0.03 or 1.0
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(-reach, reach)
    axes.locator_params(nbins=4)
    grid(axes, "both")
    _dots(axes, errors)
    axes.axhline(0, color=COLOURS["ink"], linewidth=1.2)


def _dots(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """All points as one path of round dots: a tenth of the size of as many circles."""
    corners = [corner for point in points for corner in (point, point)]
    path = Path(corners, [Path.MOVETO, Path.LINETO] * len(points))
    path.should_simplify = False
    axes.add_patch(
        PathPatch(path, fill=False, edgecolor=COLOURS["accent"], alpha=0.55, linewidth=3.6, capstyle="round")
    )
