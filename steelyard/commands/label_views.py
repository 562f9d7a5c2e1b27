"""One example on the terminal: its text, its values, or its image in blocks of colour or in letters."""

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from steelyard.data.dataset import Dataset
from steelyard.diagnosis.labels import Suspect

SIDE = 32  # pixels of an image on the terminal
LONGEST = 1500  # characters of a text
RAMP = " .:-=+*#%@"  # from dark to bright
BARS = "▁▂▃▄▅▆▇█"


def show_suspect(console: Console, dataset: Dataset, row: int, suspect: Suspect, left: int) -> None:
    """An example with the label that is given and the one that is suggested."""
    console.rule(f"{escape(suspect.origin)}  (rank {suspect.rank}, {left} left)")
    if dataset.images is not None:
        image = np.asarray(dataset.images[row])
        console.print(blocks(image) if console.is_terminal and console.color_system else letters(image))
    if dataset.series is not None:
        for channel in np.asarray(dataset.series[row]):
            console.print(bars(channel))
    if dataset.frame is not None:
        for name, value in dataset.frame.iloc[row].items():
            text = str(value)
            shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
            console.print(f"[dim]{escape(str(name))}[/dim]  {escape(shown)}")
    several = f" [dim]({escape(suspect.target)})[/dim]" if dataset.heads else ""
    console.print(
        f"given [bold]{escape(suspect.given)}[/bold], suggested [bold]{escape(suspect.suggested)}[/bold]{several}"
    )


def blocks(image: np.ndarray) -> Text:
    """An image uint8 (h, w, c) in half blocks, two pixels a character, in true colour."""
    pixels = _small(image)
    if len(pixels) % 2:
        pixels = np.vstack([pixels, np.zeros_like(pixels[:1])])
    text = Text()
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for over, under in zip(upper, lower, strict=True):
            text.append("▀", style=f"rgb({','.join(map(str, over))}) on rgb({','.join(map(str, under))})")
        text.append("\n")
    return text


def letters(image: np.ndarray) -> str:
    """An image uint8 (h, w, c) in letters, bright ones dense; two a pixel, for letters are tall."""
    grey = _small(image).mean(axis=2)
    return "\n".join("".join(RAMP[int(value * len(RAMP) / 256)] * 2 for value in line).rstrip() for line in grey)


def bars(values: np.ndarray) -> str:
    """A series (n,) in small bars; gaps where it has none."""
    few = [part for part in np.array_split(values, min(len(values), 72)) if len(part)]
    means = np.array([np.nan if np.isnan(part).all() else np.nanmean(part) for part in few])
    if np.isnan(means).all():
        return ""
    low, high = np.nanmin(means), np.nanmax(means)
    places = (means - low) / (high - low or 1.0) * (len(BARS) - 1)
    return "".join(" " if np.isnan(place) else BARS[round(place)] for place in places)


def _small(image: np.ndarray) -> np.ndarray:
    """The image in three colours, uint8 (h, w, 3), at most `SIDE` pixels wide or high."""
    from PIL import Image

    colours = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image[:, :, :3]
    if image.shape[2] == 2:
        colours = np.repeat(image[:, :, :1], 3, axis=2)
    found = Image.fromarray(np.ascontiguousarray(colours))
    found.thumbnail((SIDE, SIDE))
    return np.asarray(found)
