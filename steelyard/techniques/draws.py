"""What several augmentations draw: numbers around zero, the sides of parts of images."""

import math

import torch
from torch import Tensor


def around(most: float, count: int, stream: torch.Generator) -> Tensor:
    """Numbers (count,) spread evenly over -most to most."""
    return most * (2 * torch.rand(count, generator=stream) - 1)


def part_sides(shares: Tensor, stretch: float, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """The height and width (n,) of parts that cover these shares of an image, both as shares of its sides.

    The logarithm of height over width is drawn evenly up to that of `stretch` to either side; a part that would be
    higher or wider than the image is as high or wide as that, with the share it should have.
    """
    ratios = around(math.log(stretch), len(shares), stream).mul_(0.5).exp_()
    sides = shares.sqrt()
    ratios = torch.minimum(torch.maximum(ratios, sides), 1 / sides)
    return sides * ratios, sides / ratios
