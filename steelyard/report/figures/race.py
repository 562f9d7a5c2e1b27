"""A race of arms: a row for each, over time the interval at every look, narrowing until a verdict was reached."""

from collections.abc import Sequence
from math import isfinite
from statistics import median

from matplotlib.axes import Axes

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing, grid, text_width
from steelyard.report.numbers import count, plural
from steelyard.report.words import LOOKS
from steelyard.weighing.comparison import Lap

TOP, BOTTOM, EDGE = 8.0, 38.0, 10.0  # pixels
HEIGHTS = ((3, 84.0), (15, 58.0), (10_000, 40.0))  # pixels of a row's drawing, where there are up to so many rows
HALF = 0.47  # of that: the most an interval reaches up or down
WIDEST = 1.3  # times the typical last interval: where wider ones are cut, so that the last ones stay legible
UNITS = ((2 * 3600.0, 3600.0, "hours"), (120.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))  # from that many seconds on


def race(laps: Sequence[Lap], names: Sequence[str], matters: float, greater_is_better: bool, words: str) -> Drawing:
    """The looks at the arms of those names, in that order; better is up, the band of ±`matters` is grey."""
    rows = [[lap for lap in laps if lap.name == name and isfinite(lap.effect)] for name in names]
    rows = [row for row in rows if row]
    up = 1.0 if greater_is_better else -1.0
    return Drawing(*(_sheet(rows, matters, up, width).svg(words) for width in (NARROW, WIDE)))


def _sheet(rows: Sequence[Sequence[Lap]], matters: float, up: float, width: float) -> Canvas:
    """Labels stand above their row on a phone, beside it on a desk."""
    stacked = width == NARROW
    head = 22.0 if stacked else 12.0  # above each row's drawing, for names or the number of pairs
    high = next(high for most, high in HEIGHTS if len(rows) <= most)
    row = head + high
    left = EDGE if stacked else 12 + min(200.0, max((text_width(r[-1].name) for r in rows), default=0.0))
    right = EDGE if stacked else 12 + max((text_width(_end(r)) for r in rows), default=0.0)
    span = width - left - right
    canvas = Canvas(width, TOP + row * len(rows) + BOTTOM)
    axes = canvas.axes(left, TOP, span, row * len(rows))
    last = max((lap.elapsed for r in rows for lap in r), default=0.0)
    unit, name = next((size, name) for least, size, name in UNITS if last >= least)
    axes.set_xlim(0, 1.02 * last / unit or 1.0)
    axes.set_ylim(row * len(rows), 0)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4 if stacked else 7)
    grid(axes)
    reach = _reach(rows, matters)
    for i, each in enumerate(rows):
        middle = row * i + head + high / 2
        _draw(axes, each, middle, unit, HALF * high / reach, matters, up, reach)
        _label(canvas, each, TOP + (row * i + 8 if stacked else middle), left)
        _counts(canvas, axes, each, TOP + middle - high / 2 - 5, left, unit)
    canvas.text(left + span / 2, canvas.height - 9, f"{name} since the beginning", "muted", ha="center", fontsize=SMALL)
    return canvas


def _reach(rows: Sequence[Sequence[Lap]], matters: float) -> float:
    """The effect at the edge of a row: one scale for all, so that rows can be compared."""
    ends = [max(abs(r[-1].low), abs(r[-1].high)) for r in rows]
    known = [end for end in ends if isfinite(end) and end > 0]
    typical = WIDEST * median(known) if known else 0.0
    return max(min(typical, max(known, default=0.0)), 1.5 * matters) or 1.0


def _draw(
    axes: Axes, laps: Sequence[Lap], middle: float, unit: float, scale: float, matters: float, up: float, reach: float
) -> None:
    """One arm: the line of no effect with its band as far as it ran, an interval with its point at every look."""

    def y(effect: float) -> float:
        return middle - scale * up * min(reach, max(-reach, effect))

    end = laps[-1].elapsed / unit
    if matters:
        axes.fill_between([0, end], y(-matters), y(matters), color=COLOURS["muted"], alpha=0.16, lw=0)
    axes.plot([0, end], [middle, middle], color=COLOURS["ink"], linewidth=1)
    for lap in laps:
        look, x, over = LOOKS[lap.verdict], lap.elapsed / unit, lap is laps[-1]
        colour = COLOURS[look.colour]
        axes.plot([x, x], [y(lap.low), y(lap.high)], color=colour, linewidth=2, solid_capstyle="round")
        face = COLOURS["paper"] if look.hollow else colour
        size, shape = (7.0, look.shape) if over else (3.5, "o")
        axes.plot([x], [y(lap.effect)], shape, color=colour, markerfacecolor=face, markersize=size, mew=1.4)


def _label(canvas: Canvas, laps: Sequence[Lap], y: float, left: float) -> None:
    """Which arm it is, and how it ended."""
    stacked, end = canvas.width == NARROW, _end(laps)
    size = SMALL + 0.5 if stacked else TEXT
    room = canvas.width - text_width(end, size) - 8 if stacked else left - 10
    canvas.text(0, y, laps[-1].name, ha="left", room=room, fontsize=size)
    canvas.text(canvas.width, y, end, LOOKS[laps[-1].verdict].colour, ha="right", fontsize=size)


def _end(laps: Sequence[Lap]) -> str:
    look = LOOKS[laps[-1].verdict]
    word = "no difference" if laps[-1].verdict == "no difference that matters" else laps[-1].verdict
    return f"{look.sign} {word}, {plural(laps[-1].pairs, 'pair')}"


def _counts(canvas: Canvas, axes: Axes, laps: Sequence[Lap], y: float, left: float, unit: float) -> None:
    """The number of pairs above each look, where there is room for it; the last one always."""
    if canvas.width == NARROW:
        return
    place = axes.get_position()
    span, last = place.width * canvas.width, axes.get_xlim()[1]
    edge = canvas.width
    for lap in reversed(laps):
        x, wide = left + span * lap.elapsed / unit / last, text_width(count(lap.pairs), SMALL)
        if x + wide / 2 + 3 < edge:
            canvas.text(x, y, count(lap.pairs), "muted", ha="center", fontsize=SMALL - 1)
            edge = x - wide / 2
