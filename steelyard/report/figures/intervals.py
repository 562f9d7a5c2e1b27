"""Values with their intervals, one below the other: the ladder, the ranking of families, the forest plot of effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from matplotlib.axes import Axes

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing, grid, text_width

EDGE = 8.0  # pixels left and right of a plot, for arrow heads
OUTLIER = 7.0  # an effect that reaches this many times as far as a typical one is cut, so the others stay legible
TALL = 20  # rows from which on the axis stands above them, too
CROWDED = 0.15  # the share of the axis below which scores are crowded by a far-off reference, which is then left out


@dataclass(frozen=True)
class Mark:
    """One row: what it is called, its value and interval, how it is drawn; `text` or the `short` form stands beside."""

    label: str
    value: float
    low: float
    high: float
    text: str
    short: str
    colour: str = "accent"
    shape: str = "o"
    hollow: bool = False


def intervals(
    marks: Sequence[Mark],
    words: str,
    axis: str,
    greater_is_better: bool,
    reference: float | None = None,
    centred: bool = False,
    band: float = 0.0,
) -> Drawing:
    """The marks on one axis; `reference` is drawn as a line, `centred` shades the side of it where better lies.

    Of what is centred, a `band` as wide to either side is drawn, in which no difference matters.
    """
    shown = [mark for mark in marks if isfinite(mark.value)]
    limits = _limits(shown, reference, centred, band)
    title = f"{axis}, better →" if greater_is_better else f"← better, {axis}"
    pictures = []
    for width in (NARROW, WIDE):
        row, size, left, span = _layout(shown, width)
        top = 40 if len(shown) > TALL else 4
        canvas = Canvas(width, top + row * len(shown) + 40)
        axes = canvas.axes(left, top, span, row * len(shown))
        axes.tick_params(labeltop=len(shown) > TALL)
        axes.set_xlim(*limits)
        axes.set_ylim(len(shown), 0)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=4 if width == NARROW else 6)
        grid(axes)
        _reference(axes, reference, centred, greater_is_better, stacked=width == NARROW)
        if band and reference is not None:
            axes.axvspan(reference - band, reference + band, color=COLOURS["muted"], alpha=0.16, lw=0)
        _rows(canvas, axes, shown, row, size, top, centred)
        for y in (9.0, canvas.height - 9) if len(shown) > TALL else (canvas.height - 9,):
            canvas.text(left + span / 2, y, title, "muted", room=width, ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _layout(marks: Sequence[Mark], width: float) -> tuple[float, float, float, float]:
    """Height of a row, font size, left edge and width of the plot: labels stand above on a phone, beside on a desk."""
    if width == NARROW:
        return 42, SMALL + 0.5, EDGE, width - 2 * EDGE
    label = min(230.0, max((text_width(mark.label) for mark in marks), default=0.0)) + 12
    number = min(260.0, max((text_width(mark.text) for mark in marks), default=0.0)) + 6
    return 30, TEXT, label + EDGE, width - label - number - 2 * EDGE


def _rows(
    canvas: Canvas, axes: Axes, marks: Sequence[Mark], row: float, size: float, top: float, coloured: bool
) -> None:
    """Every mark with its label and its number."""
    stacked = canvas.width == NARROW
    room = axes.get_position().x0 * canvas.width - EDGE - 10
    long = [canvas.width - text_width(mark.text, size) - 8 for mark in marks]
    full = not stacked or all(text_width(mark.label, size) <= left for mark, left in zip(marks, long, strict=True))
    for i, mark in enumerate(marks):
        _draw(axes, mark, i + (0.74 if stacked else 0.5))
        y = top + row * i + (14 if stacked else row / 2)
        text = mark.text if full else mark.short
        left = canvas.width - text_width(text, size) - 8 if stacked else room
        canvas.text(0, y, mark.label, ha="left", room=left, fontsize=size)
        canvas.text(canvas.width, y, text, mark.colour if coloured else "muted", ha="right", fontsize=size)


def _reference(axes: Axes, reference: float | None, centred: bool, greater_is_better: bool, stacked: bool) -> None:
    """The line that everything is measured against, where it can be seen; it leaves out labels that stand above."""
    low, high = axes.get_xlim()
    if reference is None or not low <= reference <= high:
        return
    if centred:
        side = (reference, high) if greater_is_better else (low, reference)
        axes.axvspan(*side, color=COLOURS["good"], alpha=0.06, lw=0)
    rows = range(round(axes.get_ylim()[0]))
    tops, ends = ([i + 0.52 for i in rows], [i + 0.97 for i in rows]) if stacked else ([0], [len(rows)])
    style = "-" if centred else (0, (3, 3))
    axes.vlines([reference] * len(tops), tops, ends, color=COLOURS["ink"], linewidth=1.2, linestyle=style)


def _draw(axes: Axes, mark: Mark, y: float) -> None:
    """One interval with its point; an arrow head where it leaves the axis."""
    low, high = axes.get_xlim()
    colour = COLOURS[mark.colour]
    start, end = (edge if edge == edge else mark.value for edge in (mark.low, mark.high))
    if end >= low and start <= high:
        axes.plot([max(start, low), min(end, high)], [y, y], color=colour, linewidth=2, solid_capstyle="round")
    for outside, edge, shape in ((start < low, low, "<"), (end > high, high, ">")):
        if outside:
            axes.plot([edge], [y], shape, color=colour, markersize=6, clip_on=False)
    if low <= mark.value <= high:
        face = COLOURS["paper"] if mark.hollow else colour
        axes.plot(
            [mark.value], [y], mark.shape, color=colour, markerfacecolor=face, markersize=7, mew=1.6, clip_on=False
        )


def _limits(marks: Sequence[Mark], reference: float | None, centred: bool, band: float) -> tuple[float, float]:
    """The ends of the axis: all marks, but for outliers and for a reference that would crowd the others."""
    low, high = _span(marks, reference)
    if centred and reference is not None and marks:
        reach = OUTLIER * median(max(abs(mark.low - reference), abs(mark.high - reference)) for mark in marks)
        if isfinite(reach) and reach > 0:
            low, high = max(low, reference - reach), min(high, reference + reach)
        low, high = min(low, reference - band), max(high, reference + band)
    elif reference is not None:
        near = _span([mark for mark in marks if mark.value != reference], None)
        width = near[1] - near[0]
        if 0 < width < CROWDED * (high - low):
            low, high = (near[0] - width / 3, near[1]) if reference < near[0] else (near[0], near[1] + width / 3)
    room = (high - low) * 0.04 or abs(high) * 0.05 or 1.0
    return low - room, high + room


def _span(marks: Sequence[Mark], reference: float | None) -> tuple[float, float]:
    ends = [end for mark in marks for end in (mark.low, mark.value, mark.high) if isfinite(end)]
    if reference is not None:
        ends.append(reference)
    return min(ends, default=0.0), max(ends, default=0.0)
