"""The fourteen operations of RandAugment (Cubuk et al. 2020, section 3, arXiv 1909.13719), another one for each image.

A batch is not sorted by operation: every image goes through one warp, one table of tones and one blend, and all but the
operation it has drawn leave it as it is. So the cost is that of three operations, and members of a fleet can be mapped.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from steelyard.techniques.pixels import each, grey, like, surrounded, warped

OPERATIONS = (
    "identity",
    "auto-contrast",
    "equalize",
    "rotate",
    "solarize",
    "color",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear-x",
    "shear-y",
    "translate-x",
    "translate-y",
)
ANGLE, SHEAR, SHIFT = math.radians(30), 0.3, 0.45  # at full strength; shifts as shares of a side
FACTOR = 0.9  # contrast, brightness, colour and sharpness lie between 1 - this and 1 + this
BITS = 4  # that posterizing takes away of the 8
SHARP = 4  # what the pixel itself counts more than its neighbours in what sharpness leads away from


def picked(layers: int, images: int, stream: torch.Generator) -> Tensor:
    """The numbers of operations (layers, n), all equally likely."""
    return torch.randint(len(OPERATIONS), (layers, images), generator=stream)


def signs(picks: Tensor, stream: torch.Generator) -> Tensor:
    """1 or -1 in the shape of the picks: to which side an operation acts that has two."""
    return torch.randint(0, 2, picks.shape, generator=stream) * 2.0 - 1


def operated(images: Tensor, picks: Tensor, amounts: Tensor) -> Tensor:
    """Images (n, c, h, w), each changed by the operation of its number (n,) with strength and sign (n,) in -1..1."""
    pixels = images if images.dtype == torch.uint8 else images.clamp(0, 255).round().to(torch.uint8)
    pixels = warped(pixels, _moves(picks, amounts, *images.shape[-2:]))
    pixels = _toned(pixels, picks, amounts)
    return _blended(pixels, picks, amounts).to(images.dtype)


def _at(operation: str, picks: Tensor, amounts: Tensor) -> Tensor:
    """The amounts where that operation was drawn, else 0."""
    return amounts * (picks == OPERATIONS.index(operation))


def _moves(picks: Tensor, amounts: Tensor, height: int, width: int) -> Tensor:
    """The maps (n, 2, 3) of turning, shearing and moving."""
    angles, side = ANGLE * _at("rotate", picks, amounts), min(height, width)
    shear = [SHEAR * _at(f"shear-{axis}", picks, amounts) for axis in "xy"]
    shift = [2 * SHIFT * _at(f"translate-{axis}", picks, amounts) for axis in "xy"]
    cos, sin = angles.cos(), angles.sin()
    across = torch.stack((cos, shear[0] - sin, shift[0] * (width / side)), 1)
    return torch.stack((across, torch.stack((sin + shear[1], cos, shift[1] * (height / side)), 1)), 1)


def _toned(images: Tensor, picks: Tensor, amounts: Tensor) -> Tensor:
    """Bytes through a table for each channel, the tone of every level: one lookup a pixel for six operations."""
    n, c, h, w = images.shape
    flat = images.reshape(n, c, h * w).long()
    one = torch.ones((), dtype=amounts.dtype, device=images.device)
    counts = torch.zeros(n, c, 256, dtype=amounts.dtype, device=images.device)
    counts = counts.scatter_add(2, flat, one.expand(n, c, h * w))
    tables = _tables(counts, picks, amounts)
    return tables.gather(2, flat).view(n, c, h, w)


def _tables(counts: Tensor, picks: Tensor, amounts: Tensor) -> Tensor:
    """Tables of bytes (n, c, 256) from how often each level occurs (n, c, 256)."""
    levels = torch.arange(256, dtype=counts.dtype, device=counts.device)
    total = counts.sum(2, keepdim=True)
    mean = grey(((counts * levels).sum(2, keepdim=True) / total).unsqueeze(-1)).squeeze(-1)
    below = counts.cumsum(2)
    found = counts > 0
    low, high = levels.where(found, 255).amin(2, keepdim=True), levels.where(found, 0).amax(2, keepdim=True)
    first = counts.gather(2, low.long())
    strong = amounts.abs().view(-1, 1, 1)
    factor = 1 + FACTOR * amounts.view(-1, 1, 1)
    step = 2 ** (BITS * strong).round()
    tones = {
        "auto-contrast": (levels - low) * (255 / (high - low).clamp(min=1)),
        "equalize": (below - first) * (255 / (total - first).clamp(min=1)),
        "solarize": levels.where(levels < 256 * (1 - strong), 255 - levels),
        "posterize": (levels / step).floor() * step,
        "contrast": mean + factor * (levels - mean),
        "brightness": factor * levels,
    }
    chosen, varied = levels.expand_as(counts), (high > low).to(counts.dtype)
    for operation, tone in tones.items():
        drawn = (picks == OPERATIONS.index(operation)).to(counts.dtype).view(-1, 1, 1)
        if operation in ("auto-contrast", "equalize"):
            drawn = drawn * varied  # in one flat colour there is nothing to stretch
        chosen = chosen + drawn * (tone - levels)
    return chosen.clamp(0, 255).round().to(torch.uint8)


def _blended(images: Tensor, picks: Tensor, amounts: Tensor) -> Tensor:
    """Colour leads away from grey and sharpness away from a blurred image, or towards it."""
    pixels = images.to(amounts.dtype)
    near = avg_pool2d(surrounded(pixels, 1, 1, mirror=True), 3, 1)  # of 3 × 3 pixels
    colour, sharpness = (FACTOR * each(_at(name, picks, amounts)) for name in ("color", "sharpness"))
    changed = pixels + colour * (pixels - grey(pixels)) + sharpness * (9 / (9 + SHARP)) * (pixels - near)
    return like(changed, images)
