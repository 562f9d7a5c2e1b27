"""The error over the number of training rows: what was measured, the law, and the fan of what more rows would bring."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from steelyard.diagnosis.growth import LearningCurve
from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, grid
from steelyard.report.numbers import tick

LEFT, TOP, RIGHT = 48.0, 46.0, 14.0  # pixels; above are the names of the marks
DASHED: Any = (0, (4, 3))
DOTTED: Any = (0, (1, 2.5))
MISSED = 4.0  # standard errors
ROOM = 0.06  # of the range of errors, above and below


def growth_curve(curve: LearningCurve, words: str, unit: str, rows: str = "train rows") -> Drawing:
    """Points with 95 % intervals and their law; beyond the last one forecasts with 80 % and 95 % of what is likely."""
    pictures = []
    for width, high in ((NARROW, 200.0), (WIDE, 270.0)):
        canvas = Canvas(width, TOP + high + 40)
        across = width - LEFT - RIGHT
        axes = canvas.axes(LEFT, TOP, across, high)
        _limits(axes, curve)
        _fan(axes, curve)
        _measured(axes, curve)
        _names(canvas, axes, curve, across)
        canvas.text(LEFT - 44, TOP - 14, unit, ha="left", room=across / 2, fontsize=SMALL + 0.5, fontweight="bold")
        canvas.text(
            LEFT + across / 2,
            canvas.height - 9,
            f"{rows}, on a logarithmic scale",
            "muted",
            ha="center",
            fontsize=SMALL,
        )
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _limits(axes: Axes, curve: LearningCurve) -> None:
    """Axes that hold all points and the fan."""
    tops = [m.error + 1.96 * m.spread for m in curve.measured] + [each.high95 for each in curve.fan]
    lows = [m.error - 1.96 * m.spread for m in curve.measured] + [each.low95 for each in curve.fan]
    top, low = max(tops), max(0.0, min(lows))
    axes.set_xscale("log")
    axes.set_xlim(curve.measured[0].rows / 1.2, curve.fan[-1].rows * 1.12)
    axes.set_ylim(max(0.0, low - ROOM * (top - low)), top + ROOM * (top - low))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,), numticks=9))
    if np.log10(curve.fan[-1].rows / curve.measured[0].rows) < 2.2:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=9))
    axes.xaxis.set_major_formatter(tick)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.locator_params(axis="y", nbins=5)
    grid(axes, "both")


def _fan(axes: Axes, curve: LearningCurve) -> None:
    rows = [each.rows for each in curve.fan]
    for low, high, alpha in (("low95", "high95", 0.13), ("low80", "high80", 0.22)):
        bottom, top = ([getattr(each, name) for each in curve.fan] for name in (low, high))
        axes.fill_between(rows, bottom, top, color=COLOURS["accent"], alpha=alpha, lw=0)
    axes.plot(rows, [each.error for each in curve.fan], color=COLOURS["accent"], linewidth=2, linestyle=DASHED)
    for each in curve.forecasts:
        axes.axvline(each.rows, color=COLOURS["muted"], linewidth=0.9, linestyle=DOTTED)
        axes.plot([each.rows], [each.error], "o", color=COLOURS["accent"], markerfacecolor=COLOURS["paper"], ms=6.5)
    axes.axvline(curve.now.rows, color=COLOURS["ink"], linewidth=1.1)


def _measured(axes: Axes, curve: LearningCurve) -> None:
    """Every training, the means with their intervals, and the law through them."""
    first, last = curve.measured[0].rows, curve.now.rows
    along = np.geomspace(first, last, 60)
    if _fits(curve):
        axes.plot(along, curve.law(along), color=COLOURS["accent"], linewidth=2)
    for each in curve.measured:
        reach = 1.96 * each.spread
        axes.plot([each.rows] * 2, [each.error - reach, each.error + reach], color=COLOURS["ink"], linewidth=1.6)
        axes.plot([each.rows] * len(each.errors), each.errors, ".", color=COLOURS["muted"], ms=4, alpha=0.7)
        axes.plot([each.rows], [each.error], "o", color=COLOURS["ink"], ms=5.5)


def _fits(curve: LearningCurve) -> bool:
    """Whether the law goes through the points: where it does not, a line beside them would only confuse."""
    return all(abs(float(curve.law(each.rows)) - each.error) <= MISSED * each.spread for each in curve.measured)


def _names(canvas: Canvas, axes: Axes, curve: LearningCurve, across: float) -> None:
    """Above the lines: now, and how many times as many rows."""
    low, high = np.log10(axes.get_xlim())
    for rows, name, colour in [(curve.now.rows, "now", "ink")] + [
        (each.rows, f"{each.times:g}×", "accent") for each in curve.forecasts
    ]:
        x = LEFT + across * (np.log10(rows) - low) / (high - low)
        canvas.text(x, TOP - 10, name, colour, ha="center", fontsize=SMALL, fontweight="bold")
