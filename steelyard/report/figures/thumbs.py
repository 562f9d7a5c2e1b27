"""Small images side by side, each with words under it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from steelyard.report.figures.canvas import NARROW, SMALL, WIDE, Drawing, clipped

CELL, LINE, GAP = 96.0, 15.0, 10.0  # pixels


@dataclass(frozen=True)
class Thumb:
    """An image as a data URI, and the two lines under it."""

    image: str
    first: str
    second: str


def thumbs(each: Sequence[Thumb], words: str) -> Drawing:
    """The images in rows; `words` say what is to be seen. What is no image in a data URI is left out."""
    shown = [thumb for thumb in each if thumb.image.startswith("data:image/png;base64,")]
    return Drawing(_sheet(shown, words, NARROW), _sheet(shown, words, WIDE))


def _sheet(each: Sequence[Thumb], words: str, width: float) -> Markup:
    columns = max(1, int((width + GAP) // (CELL + GAP)))
    height = -(-len(each) // columns) * (CELL + 2 * LINE + GAP)
    label = escape(words)
    body = "".join(_cell(thumb, k % columns, k // columns) for k, thumb in enumerate(each))
    start = (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">'
    )
    return Markup(f"{start}<title>{label}</title>{body}</svg>")  # every text in it is escaped


def _cell(thumb: Thumb, column: int, row: int) -> str:
    x, y = column * (CELL + GAP), row * (CELL + 2 * LINE + GAP)
    picture = (
        f'<image href="{escape(thumb.image)}" x="{x:g}" y="{y:g}" width="{CELL:g}" height="{CELL:g}" '
        'style="image-rendering: pixelated"/>'
    )
    lines = "".join(
        f'<text x="{x:g}" y="{y + CELL + LINE * k - 3:g}" font-size="{SMALL:g}" fill="var(--{colour})">'
        f"{escape(clipped(text, CELL, SMALL))}</text>"
        for k, (text, colour) in enumerate(((thumb.first, "ink"), (thumb.second, "muted")), 1)
    )
    return picture + lines
