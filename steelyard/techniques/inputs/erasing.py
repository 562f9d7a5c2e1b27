"""Zhong et al. 2020, "Random Erasing Data Augmentation", algorithm 1 (arXiv 1708.04896).

With `fill` "mean" it is near to DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with
Cutout", section 3.2 (arXiv 1708.04552).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LEAST = 0.02  # of the area of an image is erased
STRETCH = 1 / 0.3  # the sides of the rectangle differ from those of the image by at most that ratio


@dataclass(frozen=True)
class Erasing(Augmentation, Technique):
    """Fills a rectangle of up to the share `area` of an image with `fill`, in one image out of 1 / `probability`.

    Helps when things are partly covered, or when the network leans on one part of them only.
    Hurts when the telling part is small and gets erased, or when training is so short that the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    reshapes: ClassVar[bool] = True
    off: ClassVar = {"probability": 0.0}
    probability: Knob = knob(0.5, 0.0, 1.0)
    area: Knob = knob(0.33, 0.02, 1.0)
    fill: Literal["noise", "mean", "black"] = "noise"

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "erases parts of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Which images (n,), begins and sides of rectangles (n, 2) as shares of height and width, and noise."""
        probability, most = value(self.probability, progress), value(self.area, progress)
        if probability == 0:
            return None
        import torch

        from steelyard.techniques.draws import part_sides
        from steelyard.techniques.pixels import random_bytes

        images, *sizes = shapes[0]
        erased = torch.rand(images, generator=stream) < probability
        shares = LEAST + (most - LEAST) * torch.rand(images, generator=stream)
        sides = part_sides(shares, STRETCH, stream)
        begins = [(1 - side) * torch.rand(images, generator=stream) for side in sides]
        size = sizes if self.fill == "noise" else (1, 1, 1)
        return erased, torch.stack(begins, 1), torch.stack(sides, 1), random_bytes((images, *size), stream)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import pasted, rectangles

        ((images,), (erased, begins, sides, noise)) = inputs, drawn
        inside = rectangles(begins, sides, *images.shape[-2:]) & erased.unsqueeze(-1).unsqueeze(-1)
        if self.fill == "mean":
            filling = images.to(sides.dtype).mean((2, 3), keepdim=True).to(images.dtype)
        else:
            filling = noise.to(images.dtype) if self.fill == "noise" else images.new_zeros(())
        return (pasted(images, filling, inside),)
