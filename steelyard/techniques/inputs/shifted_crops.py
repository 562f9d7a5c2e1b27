"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2 (arXiv 1512.03385).

There images are padded with black by an eighth of the side, then cropped. Here the border is filled by reflection, so
that every pixel comes from the image itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ShiftedCrops(Augmentation, Technique):
    """Shifts every image by up to `shift` of its height and width, at random; what slides in is mirrored.

    Helps when things stand anywhere in the picture and images are few.
    Hurts when the position itself tells the class, or when training is so short that the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"shift": 0.0}
    shift: Knob = knob(0.125, 0.0, 0.5)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.modality != "image":
            return NotApplicable("it shifts images, and this is a table")
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained on batches that could be changed")
        return self.unless_same(recipe, recipe.with_part("augment", self))

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        shift = value(self.shift, progress)
        if shift == 0:
            return None
        images, _, *sides = shapes[0]
        rows, columns = (_places(images, side, shift, stream) for side in sides)
        return rows, columns

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        ((images,), (rows, columns)) = inputs, drawn
        n, c, h, w = images.shape
        pixels = (rows.unsqueeze(2) * w + columns.unsqueeze(1)).view(n, 1, h * w).expand(n, c, h * w)
        return (images.reshape(n, c, h * w).gather(2, pixels).view(n, c, h, w),)


def _places(images: int, side: int, shift: float, stream: "torch.Generator") -> "Tensor":
    """Where each row or column (images, side) is taken from: a shift for every image, mirrored at the border."""
    import torch

    most = int(side * shift)
    places = torch.arange(side) + torch.randint(-most, most + 1, (images, 1), generator=stream)
    return (side - 1) - ((side - 1) - places.abs()).abs()
