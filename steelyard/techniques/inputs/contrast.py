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
class Contrast(Augmentation, Technique):
    """Brings all pixels of an image nearer to its mean grey or further from it, by a factor within `contrast` of 1.

    Helps when haze, light and cameras differ between images.
    Hurts when faint differences tell the class, or when intensities were measured.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.03
    unasked: ClassVar = False
    off: ClassVar = {"contrast": 0.0}
    contrast: Knob = knob(0.3, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "changes the contrast of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        contrast = value(self.contrast, progress)
        if contrast == 0:
            return None
        from steelyard.techniques.draws import around

        return (1 + around(contrast, shapes[0][0], stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import blended, grey, like

        ((images,), (factors,)) = inputs, drawn
        pixels = images.to(factors.dtype)
        return (like(blended(pixels, grey(pixels).mean((2, 3), keepdim=True), factors), images),)
