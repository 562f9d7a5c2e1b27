"""The course of a training run: its loss over steps, and a row for each layer on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing, grid, text_width
from steelyard.report.numbers import tick

SPREAD = 30.0  # losses that span more than this are drawn on a logarithmic axis
POINTS = 300  # of a line
NAMES = 6  # marks that are named
ROW, EDGE, BOTTOM = 36.0, 10.0, 40.0  # pixels
DECADES = 8  # of a scale, at the most
DASHED: Any = (0, (3, 3))

Line = Sequence[tuple[int, float]]  # (step, value)


@dataclass(frozen=True)
class Row:
    """A layer: its values over steps, what is written at its end, and whether something is wrong with it."""

    name: str
    line: Line
    text: str
    wrong: bool = False


@dataclass(frozen=True)
class Share:
    """A share of something from 0 to 1."""

    name: str
    value: float
    text: str
    wrong: bool = False


def loss_course(train: Line, dev: Line, marks: Sequence[tuple[int, str]], words: str) -> Drawing:
    """Loss over steps on train and dev; a dashed line at each mark (step, name)."""
    pictures = []
    for width, high in ((NARROW, 170.0), (WIDE, 240.0)):
        left, right, top = 46.0, 12.0, 34.0
        canvas = Canvas(width, top + high + 40)
        axes = canvas.axes(left, top, width - left - right, high)
        canvas.text(left - 38, 8, "loss", ha="left", fontsize=SMALL + 0.5, fontweight="bold")
        canvas.text(left + (width - left - right) / 2, canvas.height - 9, "step", "muted", ha="center", fontsize=SMALL)
        _losses(axes, _known(train), _known(dev))
        if dev:
            canvas.text(width - 36, 8, "train", "muted", ha="right", fontsize=SMALL)
            canvas.text(width, 8, "dev", "accent", ha="right", fontsize=SMALL)
        _marks(canvas, axes, marks, (left, width - left - right))
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _known(line: Line) -> list[tuple[int, float]]:
    known = [(step, value) for step, value in line if isfinite(value)]
    kept = known[:: max(1, -(-len(known) // POINTS))]
    return kept if not known or kept[-1] == known[-1] else [*kept, known[-1]]


def _losses(axes: Axes, train: Line, dev: Line) -> None:
    values = [value for _, value in (*train, *dev)]
    steps = [step for step, _ in (*train, *dev)]
    if not values:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.set_xlim(0, max(steps))
    if min(values) > 0 and max(values) > SPREAD * min(values):
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(min(values) / 1.3, max(values) * 1.3)
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_major_formatter(tick)
        axes.minorticks_off()
    else:
        room = (max(values) - min(values)) * 0.06 or 0.05
        axes.set_ylim(min(values) - room, max(values) + room)
        axes.locator_params(axis="y", nbins=5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    grid(axes, "y")
    for line, colour, wide in ((train, "muted", 1.2), (dev, "accent", 2.0)):
        if line:
            at, of = zip(*line, strict=True)
            axes.plot(at, of, "-" if len(line) > 1 else "o", color=COLOURS[colour], linewidth=wide, ms=5)


def _marks(canvas: Canvas, axes: Axes, marks: Sequence[tuple[int, str]], place: tuple[float, float]) -> None:
    left, span = place
    low, high = axes.get_xlim()
    edge = left - 100
    for step, name in marks[:NAMES]:
        axes.axvline(step, color=COLOURS["bad"], linewidth=1, linestyle=DASHED)
        wide = text_width(name, SMALL)
        x = min(max(left + span * (step - low) / max(high - low, 1e-9), left + wide / 2 + 30), canvas.width - wide / 2)
        if x - wide / 2 > edge + 4:
            canvas.text(x, 25, name, "bad", ha="center", fontsize=SMALL)
            edge = x + wide / 2


def layer_rows(rows: Sequence[Row], words: str, band: tuple[float, float] | None = None) -> Drawing:
    """A line over steps for each layer, all on one logarithmic scale, with the band where values should lie."""
    low, high = _scale(rows, band)
    return Drawing(*(_rows(rows, band, low, high, width).svg(words) for width in (NARROW, WIDE)))


def _scale(rows: Sequence[Row], band: tuple[float, float] | None) -> tuple[float, float]:
    """The decades of the scale: those of nearly all values, and of the band."""
    known = sorted(log10(value) for row in rows for _, value in row.line if isfinite(value) and value > 0)
    ends = [log10(each) for each in band] if band else []
    if known:
        ends += [known[len(known) // 50], known[-1 - len(known) // 50]]
    low, high = (min(ends), max(ends)) if ends else (-1.0, 1.0)
    high = max(high, low + 0.5)
    return max(low, high - DECADES) - 0.1, high + 0.1


def _rows(rows: Sequence[Row], band: tuple[float, float] | None, low: float, high: float, width: float) -> Canvas:
    stacked = width == NARROW
    head = 16.0 if stacked else 0.0
    left = EDGE if stacked else 14 + min(190.0, max(text_width(row.name) for row in rows))
    right = EDGE if stacked else 14 + max(text_width(row.text) for row in rows)
    step = ROW + head
    canvas = Canvas(width, 8 + step * len(rows) + BOTTOM)
    span = width - left - right
    axes = canvas.axes(left, 8, span, step * len(rows))
    axes.set_xlim(0, max((at for row in rows for at, _ in row.line), default=1))
    axes.set_ylim(step * len(rows), 0)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))

    def y(place: int, value: float) -> float:
        share = 0.0 if value <= 0 else min(1.0, max(0.0, (log10(value) - low) / (high - low)))
        return step * place + head + 3 + (ROW - 6) * (1 - share)

    for place, row in enumerate(rows):
        bottom = step * (place + 1)
        axes.axhline(bottom, color=COLOURS["rule"], linewidth=0.8)
        if band:
            axes.axhspan(y(place, band[0]), y(place, band[1]), color=COLOURS["good"], alpha=0.13, lw=0)
        known = _known(row.line)
        colour = "bad" if row.wrong else "accent"
        if known:
            at, of = [step_ for step_, _ in known], [y(place, value) for _, value in known]
            axes.plot(at, of, "-" if len(at) > 1 else "o", color=COLOURS[colour], linewidth=1.5, ms=4)
        middle = 8 + step * place + (8 if stacked else ROW / 2)
        size = SMALL + 0.5 if stacked else TEXT
        canvas.text(0, middle, row.name, room=width / 2 if stacked else left - 10, ha="left", fontsize=size)
        canvas.text(width, middle, row.text, "bad" if row.wrong else "ink", ha="right", fontsize=size)
    canvas.text(left, canvas.height - 9, "step", "muted", ha="left", fontsize=SMALL)
    scale = f"each row goes from {_power(low)} up to {_power(high)}"
    canvas.text(width, canvas.height - 9, scale, "muted", ha="right", fontsize=SMALL)
    return canvas


def _power(exponent: float) -> str:
    return tick(float(f"{10**exponent:.1g}"))


def shares(given: Sequence[Share], limit: float, words: str) -> Drawing:
    """A bar for each, from 0 to 100 %, and a line at the limit."""
    pictures = []
    for width in (NARROW, WIDE):
        stacked = width == NARROW
        row = 38.0 if stacked else 26.0
        left = EDGE if stacked else 14 + min(260.0, max(text_width(each.name) for each in given))
        right = 52.0
        canvas = Canvas(width, 8 + row * len(given) + 26)
        axes = canvas.axes(left, 8, width - left - right, row * len(given))
        axes.set_xlim(0, 1)
        axes.set_ylim(row * len(given), 0)
        axes.set_yticks([])
        axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        for place, each in enumerate(given):
            middle = row * place + (row - 11 if stacked else row / 2)
            axes.barh(middle, 1, 9, color=COLOURS["rule"], alpha=0.6, lw=0)
            axes.barh(middle, each.value, 9, color=COLOURS["bad" if each.wrong else "accent"], lw=0)
            if stacked:
                canvas.text(left, 8 + row * place + 9, each.name, ha="left", fontsize=SMALL + 0.5)
            else:
                canvas.text(0, 8 + middle, each.name, room=left - 10, ha="left")
            canvas.text(width, 8 + middle, each.text, "bad" if each.wrong else "ink", ha="right", fontsize=SMALL + 0.5)
        axes.axvline(limit, color=COLOURS["muted"], linewidth=1, linestyle=DASHED)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)
