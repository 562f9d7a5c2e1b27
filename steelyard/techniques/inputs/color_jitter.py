"""Howard 2013, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", section 2.2.

arXiv 1312.5402. Both in one step, by a matrix: Haeberli 1993, "Matrix Operations for Image Processing".
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
class ColorJitter(Augmentation, Technique):
    """Changes the saturation of an image by up to `saturation` of itself and turns its hue by up to `hue` of a circle.

    Helps when colours depend on light and camera and say little about the class.
    Hurts when colour tells the class: ripe fruit, stained cells, birds. Grey images stay as they are.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.04
    unasked: ClassVar = False
    off: ClassVar = {"saturation": 0.0, "hue": 0.0}
    saturation: Knob = knob(0.4, 0.0, 1.0)
    hue: Knob = knob(0.03, 0.0, 0.5)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "changes the colours of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        saturation, hue = value(self.saturation, progress), value(self.hue, progress)
        if shapes[0][1] != 3 or (saturation == 0 and hue == 0):
            return None
        from steelyard.techniques.draws import around

        images = shapes[0][0]
        return 1 + around(saturation, images, stream), around(math.tau * hue, images, stream)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import colour_matrices, recoloured

        ((images,), (saturation, hue)) = inputs, drawn
        return (recoloured(images, colour_matrices(saturation, hue)),)
