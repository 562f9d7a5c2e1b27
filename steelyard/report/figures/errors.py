"""Where the error comes from: from nothing to the human level, to train (bias), to dev (variance), and on test."""

from dataclasses import dataclass

from matplotlib.axes import Axes

from steelyard.diagnosis.words import called
from steelyard.problem import Score
from steelyard.records import ErrorTable, Term
from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing, grid
from steelyard.report.numbers import Format

HUES: dict[Term, str] = {"bias": "accent", "variance": "second", "mismatch": "open", "overfitting to dev": "bad"}


@dataclass(frozen=True)
class Bar:
    """An error as a bar; what it has over the `start` is `colour`ed, since that part has a name."""

    label: str
    start: float
    score: Score
    colour: str
    part: str
    interval: str = ""


def bars(table: ErrorTable, write: Format) -> list[Bar]:
    """The rows of the drawing."""
    rows = []
    for each in table.levels:
        gap = next((gap for gap in table.gaps if gap.end == each.name), None)
        if gap is None:
            rows.append(Bar(each.name, 0.0, each.error, "muted", ""))
            continue
        start = 0.0 if gap.start == "zero" else each.error.value - gap.value
        part = f"{called(gap)} {write.signed(gap.value)}"
        interval = f" ({write.interval(gap.low, gap.high)})"
        rows.append(Bar(each.name, start, each.error, HUES[gap.term], part, interval))
    return rows


def error_bars(table: ErrorTable, words: str, write: Format, unit: str) -> Drawing:
    """A bar per error, with its interval; bias and variance are the coloured steps between them."""
    rows = bars(table, write)
    right = max([bar.score.high for bar in rows] + [bar.score.value for bar in rows])
    pictures = []
    for width in (NARROW, WIDE):
        stacked = width == NARROW
        row, label = 46, 78 if stacked else 92
        canvas = Canvas(width, row * len(rows) + 44)
        span = width - label - (66 if stacked else 96)
        axes = canvas.axes(label, 4, span, row * len(rows))
        axes.set_xlim(0, right * 1.02 or 1.0)
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=4)
        grid(axes)
        for i, bar in enumerate(rows):
            _draw(axes, bar, i)
            y = 4 + row * i
            canvas.text(0, y + 20, bar.label, ha="left", fontsize=TEXT)
            canvas.text(width, y + 20, write(bar.score.value), ha="right", fontsize=TEXT)
            if bar.part:
                part = bar.part if stacked else bar.part + bar.interval
                canvas.text(label + 3, y + 39, part, bar.colour, ha="left", fontsize=SMALL, fontweight="bold")
        canvas.text(label + span / 2, canvas.height - 9, f"← better, {unit}", "muted", ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _draw(axes: Axes, bar: Bar, i: int) -> None:
    """The bar in grey up to its start, in its colour from there, and the interval across its end."""
    y, value = i + 0.42, bar.score.value
    axes.barh(y, min(bar.start, value), height=0.34, color=COLOURS["rule"])
    if value > bar.start:
        axes.barh(y, value - bar.start, left=bar.start, height=0.34, color=COLOURS[bar.colour])
    if bar.score.high > bar.score.low:
        axes.plot([max(0, bar.score.low), bar.score.high], [y, y], color=COLOURS["ink"], linewidth=1.4)
        axes.plot(
            [value],
            [y],
            "D" if bar.label == "test" else "|",
            color=COLOURS["ink"],
            markersize=6 if bar.label == "test" else 9,
        )
