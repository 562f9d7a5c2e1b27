"""Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 4.1."""

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
class Flips(Augmentation, Technique):
    """Shows every image left-right mirrored with probability `flip`.

    Helps when a mirrored image is as likely as the original: photographs of things, animals, clothes.
    Hurts when the sides mean something: digits, letters, signs, left and right hands, body scans.
    Costs almost nothing.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"flip": 0.0}
    flip: Knob = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "mirrors images")

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

        ((images,), (mirrored,)) = inputs, drawn
        return (chosen(images, images.flip(3), mirrored),)
