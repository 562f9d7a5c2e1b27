"""Dieleman et al. 2015, "Rotation-invariant convolutional neural networks for galaxy morphology prediction".

arXiv 1503.07077: images without a natural up are turned by any angle and mirrored.
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


@dataclass(frozen=True)
class VerticalFlips(Augmentation, Technique):
    """Shows every image upside down with probability `flip`.

    Helps when there is no up and down: cells, satellites' views, galaxies, textures, things seen from above.
    Hurts when there is: photographs of scenes, people and animals, digits (6 and 9), letters, signs.
    Costs almost nothing.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.02
    unasked: ClassVar = False
    off: ClassVar = {"flip": 0.0}
    flip: Knob = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "turns upside down images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        flip = value(self.flip, progress)
        if flip == 0:
            return None
        import torch

        return (torch.rand(shapes[0][0], generator=stream) < flip,)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import chosen

        ((images,), (turned,)) = inputs, drawn
        return (chosen(images, images.flip(2), turned),)
