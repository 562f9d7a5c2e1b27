"""A sheet to draw on, measured in pixels from the top left, that becomes an inline SVG in the colours of the page."""

import hashlib
import io
import re
import unicodedata
import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from steelyard.report.numbers import tick

NARROW, WIDE = 320, 704  # pixels: a phone, a desk
SMALL, TEXT = 10.5, 12.0  # pixels

# Matplotlib knows no CSS variables: it gets colours nobody would choose, which are replaced in the SVG.
COLOURS = {
    "ink": "#010101",
    "muted": "#010102",
    "rule": "#010103",
    "accent": "#010104",
    "good": "#010105",
    "bad": "#010106",
    "open": "#010107",
    "paper": "#010108",
    "second": "#010109",
}
_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
_STYLE = {
    "svg.fonttype": "none",
    "svg.id": None,
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": SMALL,
    "path.simplify": False,
    "text.usetex": False,
}


@dataclass(frozen=True)
class Drawing:
    """The same drawing for a phone and for a desk, with its words for those who do not see it."""

    narrow: Markup
    wide: Markup


class Canvas:
    """A sheet of `width` × `height` pixels; y grows downwards."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self.figure.patch.set_visible(False)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Bare axes on a rectangle of the sheet: no box, quiet ticks."""
        w, h = self.width, self.height
        axes = self.figure.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))
        axes.patch.set_visible(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0, pad=4, labelsize=SMALL, labelcolor=COLOURS["muted"])
        axes.xaxis.set_major_formatter(tick)
        axes.yaxis.set_major_formatter(tick)
        return axes

    def text(self, x: float, y: float, text: str, colour: str = "ink", room: float | None = None, **style: Any) -> None:
        """Text whose middle line is at y, cut to `room` pixels."""
        size = style.setdefault("fontsize", TEXT)
        shown = clipped(text, room or self.width, size)
        style = {"va": "center_baseline", "parse_math": False, **style}
        self.figure.text(x / self.width, 1 - y / self.height, shown, color=COLOURS[colour], **style)

    def svg(self, words: str) -> Markup:
        """The sheet as an SVG element; `words` say what is to be seen."""
        file = io.StringIO()
        salt = hashlib.sha256(f"{words}{self.width}".encode()).hexdigest()[:8]
        with matplotlib.rc_context(_STYLE | {"svg.hashsalt": salt}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts have it
            FigureCanvasSVG(self.figure).print_svg(file, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        return Markup(_clean(file.getvalue(), words, self.width, self.height))  # matplotlib escapes text


def grid(axes: Axes, which: str = "x") -> None:
    """Thin lines behind the drawing."""
    axes.grid(axis=which, color=COLOURS["rule"], linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def clipped(text: str, room: float, size: float = TEXT) -> str:
    """Text on one line, cut with an ellipsis where it would be wider than `room` pixels at a font size in pixels.

    Widths are guessed on the wide side, since the reader's font is not known.
    """
    line = "".join(c for c in " ".join(str(text).split()) if unicodedata.category(c)[0] != "C")
    widths = [_width(c) * size for c in line]
    if sum(widths) <= room:
        return line
    room -= 0.9 * size
    for i, width in enumerate(widths):
        room -= width
        if room < 0:
            return f"{line[:i].rstrip()}…"
    return line


def text_width(text: str, size: float = TEXT) -> float:
    """About how wide a text is, in pixels."""
    return sum(_width(c) for c in text) * size


def _width(character: str) -> float:
    """The width of a character in ems."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in "iljtfr.,:;|!'()[] ":
        return 0.36
    return 0.9 if character in "mwMW@%" else 0.7 if character.isupper() else 0.6


def _clean(svg: str, words: str, width: float, height: float) -> str:
    """Only what an inline SVG needs: no prologue, metadata or fonts; colours by variable, a role and a title."""
    body = svg[svg.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^<>]*>", lambda found: _clean_tag(found.group()), body)
    body = re.sub(r"\n\s*", "\n", body)
    label = escape(words)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><title>{label}</title>{body}'
    )


def _clean_tag(tag: str) -> str:
    """One tag without what the page decides; text between tags is never touched."""
    if " id=" in tag and not tag.startswith(("<path", "<clipPath")):
        tag = re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r"#0101\d\d", lambda found: _VARIABLES.get(found.group(), found.group()), tag)
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    return re.sub(r"(\d\.\d\d)\d+", r"\1", tag)
