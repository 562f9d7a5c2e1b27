"""Szegedy et al. 2015, "Going Deeper with Convolutions", section 6 (arXiv 1409.4842).

There a part covers 8 % to all of a large photograph; small images bear less, so the smallest part is a half here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STRETCH = 4 / 3  # the sides of the part differ from those of the image by at most that ratio


@dataclass(frozen=True)
class RandomResizedCrop(Augmentation, Technique):
    """Shows a part of every image, of at least the share `area` and up to a third wider or taller, at full size.

    Helps when things are recognised by a part and seen in many sizes: photographs, above all with large networks.
    Hurts when the part that tells the class may be cut away, when size or position matters, or training is short.
    Costs a few per cent of time a step; wants more epochs.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"area": 1.0}
    area: Knob = knob(0.5, 0.01, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "cuts parts out of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """The height, width and centre (n,) of the part seen, each from -1 to 1 over the image."""
        area = value(self.area, progress)
        if area == 1:
            return None
        import torch

        from steelyard.techniques.draws import part_sides

        shares = area + (1 - area) * torch.rand(shapes[0][0], generator=stream)
        height, width = part_sides(shares, STRETCH, stream)
        y, x = ((1 - side) * (2 * torch.rand(len(side), generator=stream) - 1) for side in (height, width))
        return height, width, y, x

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import boxes, warped

        ((images,), (height, width, y, x)) = inputs, drawn
        h, w = images.shape[-2:]
        side = min(h, w)
        return (warped(images, boxes(height, width, y * (h / side), x * (w / side))),)
