"""Ciresan et al. 2012, "Multi-column Deep Neural Networks for Image Classification", section 3 (arXiv 1202.2745)."""

import math
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
class Zoom(Augmentation, Technique):
    """Shows every image nearer or further away by a factor of up to 1 + `zoom`; what comes in is mirrored.

    Helps when the same thing is seen in different sizes, which a network of convolutions has to learn one by one.
    Hurts when size itself tells the class, or when what matters lies at the border.
    Costs a few per cent of time a step; pixels are blurred a little.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    unasked: ClassVar = False
    off: ClassVar = {"zoom": 0.0}
    zoom: Knob = knob(0.25, 0.0, 3.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "zooms into images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        zoom = value(self.zoom, progress)
        if zoom == 0:
            return None
        from steelyard.techniques.draws import around

        return (around(math.log1p(zoom), shapes[0][0], stream).exp(),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import boxes, warped

        ((images,), (scales,)) = inputs, drawn
        centre = scales.new_zeros(()).expand_as(scales)
        return (warped(images, boxes(scales, scales, centre, centre)),)
