"""A small drawing of a series, as a PNG in a data URI: what a mistake looks like."""

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT, ROOM = 176, 88, 6  # pixels; drawn at twice the size and brought down
INKS = ("#3465a4", "#c17d11", "#4e9a06", "#75507b", "#555753", "#a40000")
TRUE, SAID = "#2e7d32", "#c62828"


def sketch(series: np.ndarray, ahead: tuple[float, float] | None = None) -> str:
    """Channels (channels, time) as lines with gaps where values are missing; each on its own scale.

    With `ahead`, a forecast's truth (filled) and what was predicted (ring) stand behind the first channel, on its
    scale, and other channels are left out.
    """
    shown = series[:1] if ahead else series[: len(INKS)]
    there = np.flatnonzero(~np.isnan(shown).all(axis=0))
    end = int(there[-1]) + 1 if len(there) else 1
    sheet = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    steps = max(1, end - 1) * (1.08 if ahead else 1.0)
    for channel, ink in zip(shown[:, :end], INKS, strict=False):
        known = np.append(channel[~np.isnan(channel)], ahead or ())
        if not len(known):
            continue
        low, high = float(known.min()), float(known.max())
        at = [(_across(i / steps), _down(v, low, high)) for i, v in enumerate(channel)]
        for begin, stop in _runs(~np.isnan(channel)):
            draw.line(at[begin:stop], fill=ink, width=3) if stop - begin > 1 else _dot(draw, at[begin], ink)
        if ahead:
            truth, said = ((_across(1.0), _down(v, low, high)) for v in ahead)
            _dot(draw, truth, TRUE)
            _dot(draw, said, SAID, ring=True)
    buffer = io.BytesIO()
    sheet.resize((WIDTH, HEIGHT), Image.Resampling.BOX).quantize(64).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _across(share: float) -> float:
    return 2 * (ROOM + share * (WIDTH - 2 * ROOM))


def _down(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return 2 * (HEIGHT - ROOM - share * (HEIGHT - 2 * ROOM))


def _runs(there: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of every stretch of values that are there."""
    edges = np.diff(np.concatenate([[0], there.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _dot(draw: ImageDraw.ImageDraw, at: tuple[float, float], ink: str, ring: bool = False) -> None:
    x, y = at
    box = (x - 7, y - 7, x + 7, y + 7)
    if ring:
        draw.ellipse(box, outline=ink, width=4)
    else:
        draw.ellipse(box, fill=ink)
