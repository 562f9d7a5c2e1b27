"""Simard et al. 2003, "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis".

Section 2: training images are moved, turned and skewed.
"""

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
class Rotation(Augmentation, Technique):
    """Turns every image by an angle of up to `degrees` to either side; what turns in is mirrored.

    Helps when things are seen at a slant now and then; any angle (180) where there is no up: cells, satellites' views.
    Hurts when direction tells the class (6 and 9, arrows, b and q), and where fine lines matter: pixels are blurred.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    unasked: ClassVar = False
    off: ClassVar = {"degrees": 0.0}
    degrees: Knob = knob(15.0, 0.0, 180.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "turns images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        degrees = value(self.degrees, progress)
        if degrees == 0:
            return None
        from steelyard.techniques.draws import around

        return (around(math.radians(degrees), shapes[0][0], stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import rotations, warped

        ((images,), (angles,)) = inputs, drawn
        return (warped(images, rotations(angles)),)
