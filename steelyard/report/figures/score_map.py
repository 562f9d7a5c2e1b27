"""Batch size against epochs as a heat map: the stronger the colour, the better the score; its cost stands below it."""

from collections.abc import Callable
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, TEXT, WIDE, Canvas, Drawing
from steelyard.report.numbers import count, duration
from steelyard.weighing.trade_off import Exploration, Pair

LEFT, TOP = 52.0, 48.0  # pixels for the names of rows and columns
HIGH, CELL = 62.0, 150.0  # pixels of a cell: its height, its width at most
WEAKEST, STRONGEST = 0.06, 0.85  # of the colour

Write = Callable[[float | None], str]


def score_map(found: Exploration, greater_is_better: bool, write: Write, words: str) -> Drawing:
    """A cell per pair; a frame for the pick, a star for the best, a dot for those on the front of score and cost."""
    return Drawing(*(_map(found, greater_is_better, write, width).svg(words) for width in (NARROW, WIDE)))


def _map(found: Exploration, greater_is_better: bool, write: Write, width: float) -> Canvas:
    sizes = sorted({pair.batch_size for pair in found.pairs})
    epochs = sorted({pair.epochs for pair in found.pairs})
    cell = min(CELL, (width - LEFT - 4) / len(epochs))
    canvas = Canvas(width, TOP + HIGH * len(sizes) + 30)
    axes = canvas.axes(LEFT, TOP, cell * len(epochs), HIGH * len(sizes))
    axes.set_xlim(0, len(epochs))
    axes.set_ylim(len(sizes), 0)
    axes.set_xticks([])
    axes.set_yticks([])
    canvas.text(LEFT, 10, "epochs →", "muted", ha="left", fontsize=SMALL)
    canvas.text(0, TOP - 12, "batch ↓", "muted", ha="left", fontsize=SMALL)
    for column, each in enumerate(epochs):
        canvas.text(LEFT + (column + 0.5) * cell, TOP - 12, count(each), ha="center")
    for row, each in enumerate(sizes):
        canvas.text(LEFT - 8, TOP + (row + 0.5) * HIGH, count(each), ha="right")
    shades = _shades(found, greater_is_better)
    for pair in found.pairs:
        at = epochs.index(pair.epochs), sizes.index(pair.batch_size)
        _cell(axes, found, pair, at, shades)
        _text(canvas, found, pair, (LEFT + at[0] * cell, TOP + at[1] * HIGH), cell, write, shades)
    _legend(canvas, found)
    return canvas


def _shades(found: Exploration, greater_is_better: bool) -> dict[tuple[int, int], float]:
    """How strong the colour of each pair is: from the worst to the best score, ordered, so that one failure is one."""
    done = [pair for pair in found.pairs if pair.score is not None and isfinite(pair.score.value)]
    values = {pair.place: pair.score.value * (1 if greater_is_better else -1) for pair in done if pair.score}
    if not values:
        return {}
    high = max(values.values())
    low = sorted(values.values())[len(values) // 4] if len(values) > 4 else min(values.values())
    low = high - 1.5 * (high - low) if high > low else min(values.values())
    reach = (high - low) or 1.0
    share = {place: min(1.0, max(0.0, (value - low) / reach)) for place, value in values.items()}
    return {place: WEAKEST + (STRONGEST - WEAKEST) * each for place, each in share.items()}


def _cell(
    axes: Axes, found: Exploration, pair: Pair, at: tuple[int, int], shades: dict[tuple[int, int], float]
) -> None:
    x, y = at
    if pair.place in shades:
        colour, strength = COLOURS["accent"], shades[pair.place]
    else:
        colour, strength = COLOURS["rule"], 0.3
    axes.add_patch(Rectangle((x + 0.01, y + 0.02), 0.98, 0.96, facecolor=colour, alpha=strength, linewidth=0))
    if pair.place == found.pick:
        frame = Rectangle((x + 0.015, y + 0.03), 0.97, 0.94, fill=False, edgecolor=COLOURS["good"], linewidth=2.5)
        axes.add_patch(frame)


def _text(
    canvas: Canvas,
    found: Exploration,
    pair: Pair,
    corner: tuple[float, float],
    cell: float,
    write: Write,
    shades: dict[tuple[int, int], float],
) -> None:
    left, top = corner
    x, ink = left + cell / 2, "paper" if shades.get(pair.place, 0.0) > 0.5 else "ink"
    if pair.score is None:
        canvas.text(x, top + HIGH / 2, pair.status, "muted", room=cell - 6, ha="center", fontsize=SMALL)
        return
    size = min(TEXT + 1, 0.17 * cell)
    canvas.text(x, top + 22, f"{_sign(found, pair)}{write(pair.score.value)}", ink, ha="center", fontsize=size)
    canvas.text(x, top + 42, duration(pair.seconds or 0.0), ink, ha="center", fontsize=min(SMALL, size))


def _sign(found: Exploration, pair: Pair) -> str:
    return "★ " if pair.place == found.best else "● " if pair.front else ""


def _legend(canvas: Canvas, found: Exploration) -> None:
    text = "★ best · ● on the front of score and cost · □ pick" if found.pick else "nothing was trained to its end"
    canvas.text(0, canvas.height - 9, text, "muted", ha="left", fontsize=SMALL)
