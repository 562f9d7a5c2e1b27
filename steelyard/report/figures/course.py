"""A forecast over time: what came, what had been said, and what was left over."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, grid
from steelyard.report.numbers import tick

Moment = tuple[str, float, float]  # when it was known, truth, predicted


def forecast_course(course: Sequence[Moment], words: str, target: str) -> Drawing:
    """Two panels under each other: truth and forecast, and the forecast minus the truth."""
    pictures = []
    for width in (NARROW, WIDE):
        across, high, low = width - 68.0, 190.0, 90.0
        canvas = Canvas(width, high + low + 110)
        canvas.text(8, 12, f"{target}: truth (line) and forecast (dots)", ha="left", fontsize=SMALL, fontweight="bold")
        above = canvas.axes(56, 26, across, high)
        canvas.text(8, high + 56, "forecast minus truth", ha="left", fontsize=SMALL, fontweight="bold")
        below = canvas.axes(56, high + 70, across, low)
        _both(above, course)
        _left_over(below, course)
        _name_times(below, course, 2 if width == NARROW else 4)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _both(axes: Axes, course: Sequence[Moment]) -> None:
    at = range(len(course))
    truth, said = [t for _, t, _ in course], [p for _, _, p in course]
    room = (max(truth + said) - min(truth + said)) * 0.05 or 1.0
    axes.set_xlim(-0.5, len(course) - 0.5)
    axes.set_ylim(min(truth + said) - room, max(truth + said) + room)
    axes.set_xticks([])
    axes.locator_params(axis="y", nbins=5)
    grid(axes, "y")
    axes.plot(at, truth, "-", color=COLOURS["ink"], linewidth=1.3)
    axes.plot(at, said, "o", color=COLOURS["accent"], ms=2.6, alpha=0.8)


def _left_over(axes: Axes, course: Sequence[Moment]) -> None:
    errors = [said - truth for _, truth, said in course]
    reach = max(map(abs, errors)) * 1.05 or 1.0
    axes.set_xlim(-0.5, len(course) - 0.5)
    axes.set_ylim(-reach, reach)
    axes.locator_params(axis="y", nbins=3)
    axes.yaxis.set_major_formatter(tick)
    grid(axes, "y")
    axes.vlines(range(len(course)), 0, errors, color=COLOURS["accent"], linewidth=1.0)
    axes.axhline(0, color=COLOURS["ink"], linewidth=1.0)


def _name_times(axes: Axes, course: Sequence[Moment], pieces: int) -> None:
    """When, at even places from the first to the last."""
    places = sorted({round(i * (len(course) - 1) / pieces) for i in range(pieces + 1)})
    axes.set_xticks(places, [course[place][0][-10:] for place in places])
