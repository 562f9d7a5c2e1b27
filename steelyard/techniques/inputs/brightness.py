"""Howard 2013, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", section 2.2.

arXiv 1312.5402.
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
class Brightness(Augmentation, Technique):
    """Multiplies all pixels of an image by a factor within `brightness` of 1.

    Helps when the same things are photographed in different light.
    Hurts when how bright it is tells the class: measured intensities, scans, day and night.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.03
    unasked: ClassVar = False
    off: ClassVar = {"brightness": 0.0}
    brightness: Knob = knob(0.3, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "lightens and darkens images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        brightness = value(self.brightness, progress)
        if brightness == 0:
            return None
        from steelyard.techniques.draws import around

        return (1 + around(brightness, shapes[0][0], stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import each, like

        ((images,), (factors,)) = inputs, drawn
        return (like(images.to(factors.dtype) * each(factors), images),)
