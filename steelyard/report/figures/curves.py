"""A learning curve: loss on train and dev, the metric on dev, and from where on more training did harm."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from steelyard.records import Curve
from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing, grid, text_width
from steelyard.report.numbers import tick

POINTS = 200  # a line needs no more
SPREAD = 30.0  # losses that span more than this are drawn on a logarithmic axis

Line = tuple[list[float], list[float]]


def learning_curve(curve: Curve, words: str, metric: str, turned: int | None) -> Drawing:
    """Two panels, loss and metric over epochs; everything after epoch `turned` is shaded."""
    train, dev, score = lines(curve)
    pictures = []
    for width in (NARROW, WIDE):
        stacked = width == NARROW
        high, end = (132, 40) if stacked else (180, 44)
        across = width - 44 - end if stacked else (width - 2 * (44 + end)) / 2
        canvas = Canvas(width, 2 * (high + 58) if stacked else high + 58)
        spots = [(44.0, 26.0), (44.0, high + 84.0)] if stacked else [(44.0, 26.0), (88.0 + across + end, 26.0)]
        for (left, top), title, drawn in zip(
            spots,
            ("loss", f"{metric} on dev"),
            ([("train", "muted", train), ("dev", "accent", dev)], [("dev", "accent", score)]),
            strict=True,
        ):
            axes = canvas.axes(left, top, across, high)
            canvas.text(
                left - 36, top - 14, title, room=across + 60, ha="left", fontsize=SMALL + 0.5, fontweight="bold"
            )
            canvas.text(left + across / 2, top + high + 26, "epoch", "muted", ha="center", fontsize=SMALL)
            if turned is not None and drawn[0][0] == "train" and drawn[0][2][0]:
                _name_turn(axes, turned)
            _panel(axes, [(name, colour, line) for name, colour, line in drawn if line[0]], turned, high)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def lines(curve: Curve) -> tuple[Line, Line, Line]:
    """Train loss, dev loss, dev metric as (epochs, values), without looks that were not taken."""
    found: list[Line] = []
    for column in (1, 2, 3):
        taken = [(p[0], p[column]) for p in curve.points if p[column] is not None and isfinite(p[column] or 0.0)]
        kept = taken[:: max(1, len(taken) // POINTS)]
        if taken and kept[-1] != taken[-1]:
            kept.append(taken[-1])
        found.append(([float(epoch) for epoch, _ in kept], [float(value or 0.0) for _, value in kept]))
    return found[0], found[1], found[2]


def _panel(axes: Axes, drawn: Sequence[tuple[str, str, Line]], turned: int | None, height: float) -> None:
    epochs = [epoch for _, _, (at, _) in drawn for epoch in at]
    values = [value for _, _, (_, of) in drawn for value in of]
    if not values:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    first, last = min(epochs), max(epochs)
    axes.set_xlim(first, last if last > first else first + 1)
    if min(values) > 0 and max(values) > SPREAD * min(values):
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(min(values) / 1.2, max(values) * 1.2)
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
        axes.yaxis.set_major_formatter(tick)
        axes.minorticks_off()
    else:
        room = (max(values) - min(values)) * 0.06 or 0.05
        axes.set_ylim(min(values) - room, max(values) + room)
        axes.locator_params(axis="y", nbins=4)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    grid(axes, "y")
    if turned is not None and turned < last:
        axes.axvspan(turned, last, color=COLOURS["bad"], alpha=0.07, lw=0)
        axes.axvline(turned, color=COLOURS["bad"], linewidth=1.1, linestyle=(0, (3, 3)))
    for name, colour, (at, of) in drawn:
        alone = len(at) == 1
        axes.plot(at, of, "o" if alone else "-", color=COLOURS[colour], linewidth=2 if name == "dev" else 1.6, ms=5)
    if len(drawn) > 1:
        _name_ends(axes, drawn, height)


def _name_turn(axes: Axes, turned: int) -> None:
    """Write the epoch of the lowest dev loss above its line."""
    style: dict[str, Any] = {"color": COLOURS["bad"], "fontsize": SMALL, "ha": "center", "va": "bottom"}
    axes.text(turned, 1.03, f"epoch {turned}", transform=axes.get_xaxis_transform(), **style)


def _name_ends(axes: Axes, drawn: Sequence[tuple[str, str, Line]], height: float) -> None:
    """Write each line's name where it ends, pushed apart where two ends meet."""
    ends = [(axes.transData.transform((at[-1], of[-1]))[1], name, colour) for name, colour, (at, of) in drawn]
    bottom = axes.transAxes.transform((0, 0))[1]
    ends.sort()
    apart = max(0.0, TEXT + 1 - (ends[1][0] - ends[0][0])) / 2
    for (y, name, colour), push in zip(ends, (-apart, apart), strict=True):
        where = (1 + 6 / max(1.0, text_width("train") * 4), (y + push - bottom) / height)
        axes.text(*where, name, transform=axes.transAxes, color=COLOURS[colour], fontsize=SMALL, va="center")
