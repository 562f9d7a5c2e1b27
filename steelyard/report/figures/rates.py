"""A learning-rate range test: the loss over the rate, where it falls fastest, is lowest and diverges."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, grid, text_width
from steelyard.report.numbers import tick
from steelyard.training.rate_range import RateRange, smooth

LEFT, TOP = 44.0, 58.0  # pixels; above are the names of the marks, in two rows
ROOM = 0.3  # how far above the first loss the axis goes, as a share of the descent
BEYOND = 3.0  # times the largest rate before the loss diverges: there the axis ends
DASHED: Any = (0, (3, 3))


def rate_curve(found: RateRange, words: str) -> Drawing:
    """The smoothed loss with the band between the seeds' own curves; rates that diverge are shaded."""
    pictures = []
    for width, high in ((NARROW, 190.0), (WIDE, 260.0)):
        canvas = Canvas(width, TOP + high + 40)
        across = width - LEFT - 10
        axes = canvas.axes(LEFT, TOP, across, high)
        _curve(axes, found)
        _names(canvas, axes, found, across)
        canvas.text(LEFT - 36, TOP - 12, "loss", ha="left", fontsize=SMALL + 0.5, fontweight="bold")
        canvas.text(LEFT + across / 2, canvas.height - 9, "learning rate", "muted", ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _curve(axes: Axes, found: RateRange) -> None:
    rates, seeds = np.array(found.rates), smooth(np.array(found.rates), np.array(found.losses))
    bottom, first = float(seeds.min()), found.smoothed[0]
    descent = max(first - bottom, 0.05 * abs(first))
    last = BEYOND * found.largest if found.diverged else rates[-1]
    axes.set_xscale("log")
    axes.set_xlim(rates[0], last)
    axes.set_ylim(bottom - 0.08 * descent, max(first, *seeds[:, 0]) + ROOM * descent)
    axes.xaxis.set_major_locator(LogLocator(numticks=9))
    axes.xaxis.set_major_formatter(tick)
    axes.minorticks_off()
    axes.locator_params(axis="y", nbins=5)
    grid(axes, "both")
    if found.diverged:
        axes.axvspan(found.largest, last, color=COLOURS["bad"], alpha=0.1, lw=0)
    axes.fill_between(rates, seeds.min(axis=0), seeds.max(axis=0), color=COLOURS["accent"], alpha=0.18, lw=0)
    axes.plot(rates, found.smoothed, color=COLOURS["accent"], linewidth=2)


def _names(canvas: Canvas, axes: Axes, found: RateRange, across: float) -> None:
    """A line for each mark, with its name above: the suggestion on a row of its own."""
    low, high = np.log10(axes.get_xlim())
    edge = 0.0
    for rate, name, colour, top in (
        (found.steepest, "falls fastest", "muted", 38.0),
        (found.lowest, "lowest", "muted", 38.0),
        (found.suggestion, f"suggestion {tick(found.suggestion)}", "good", 12.0),
    ):
        main = colour == "good"
        axes.axvline(rate, color=COLOURS[colour], linewidth=2 if main else 1.1, linestyle="-" if main else DASHED)
        here = LEFT + across * (np.log10(rate) - low) / (high - low)
        wide = text_width(name, SMALL)
        x = min(max(here, LEFT + wide / 2), canvas.width - wide / 2)
        if not main:
            x, edge = max(x, edge + wide / 2), x + wide / 2 + 6
        canvas.text(x, top, name, colour, ha="center", fontsize=SMALL, fontweight="bold" if main else "normal")
