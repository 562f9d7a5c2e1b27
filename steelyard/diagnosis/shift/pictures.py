"""Images as a few numbers: light, contrast, colour, sharpness and borders, and components of small copies."""

import numpy as np

from steelyard.data.mapped import Images
from steelyard.diagnosis.shift.columns import Block, components

Array = np.ndarray
SIDE = {1: 16, 3: 10}  # pixels of a side of the small copies, by channels
COMPONENTS = 32
COLOURS = ("red", "green", "blue")


def picture_blocks(images: Images) -> list[Block]:
    """Statistics and components of images uint8 (n, h, w, c); each statistic in the unit 0..1."""
    pixels = np.asarray(images, np.float32) / 255
    grey = pixels.mean(axis=3)
    flat = grey.reshape(len(grey), -1)
    low, high = np.quantile(flat, [0.05, 0.95], axis=1)
    found = {
        "brightness": flat.mean(axis=1),
        "contrast": flat.std(axis=1),
        "darkest 5 %": low,
        "brightest 5 %": high,
        "share of half-tones": ((flat > 0.15) & (flat < 0.85)).mean(axis=1),
        "sharpness": _steps(grey),
        "brightness of the border": grey[:, _border(grey.shape[1:])].mean(axis=1),
    }
    if pixels.shape[3] == 3:
        found |= {colour: pixels[..., k].mean(axis=(1, 2)) for k, colour in enumerate(COLOURS)}
        found["colourfulness"] = (pixels.max(axis=3) - pixels.min(axis=3)).mean(axis=(1, 2))
    blocks = [Block(name, name, "number", values.astype(np.float64)) for name, values in found.items()]
    small = _small(pixels, SIDE.get(pixels.shape[3], 10))
    return blocks + components("picture", small.reshape(len(small), -1), COMPONENTS)


def _steps(grey: Array) -> Array:
    """The mean difference of neighbouring pixels (n,), over the contrast: how sharp an image is."""
    found = np.zeros(len(grey))
    for axis in (1, 2):
        if grey.shape[axis] > 1:
            found += np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2))
    return np.asarray(found / np.maximum(grey.std(axis=(1, 2)), 1e-3) / 2)


def _border(shape: tuple[int, ...]) -> Array:
    """Which pixels (h, w) lie in the outermost eighth."""
    margin = [max(1, side // 8) for side in shape]
    inside = np.zeros(shape, bool)
    inside[margin[0] : shape[0] - margin[0], margin[1] : shape[1] - margin[1]] = True
    return ~inside


def _small(pixels: Array, side: int) -> Array:
    """The images averaged down to at most `side` pixels a side."""
    for axis in (1, 2):
        length = pixels.shape[axis]
        if length > side:
            bounds = np.linspace(0, length, side + 1).astype(int)
            width = np.diff(bounds).reshape([-1 if k == axis else 1 for k in range(4)])
            pixels = np.add.reduceat(pixels, bounds[:-1], axis=axis) / width
    return pixels
