"""Cubuk et al. 2020, "RandAugment: Practical automated data augmentation with a reduced search space", section 3.

arXiv 1909.13719. `magnitude` is a share of the ranges there: 0.3 is M = 9 of 30.
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
class RandAugment(Augmentation, Technique):
    """Changes every image by `operations` of fourteen, drawn for each image, all at the same `magnitude`.

    They are: nothing, automatic contrast, equalizing, turning, solarizing, colour, posterizing, contrast, brightness,
    sharpness, shearing and moving along either side.
    Helps when photographs are few for the size of the network and training is long.
    Hurts when light, colour, direction or place tell the class, when images are tiny, or when training is short.
    Costs a quarter to a third more time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.3
    unasked: ClassVar = False
    off: ClassVar = {"magnitude": 0.0}
    reshapes: ClassVar[bool] = True
    magnitude: Knob = knob(0.3, 0.0, 1.0)
    operations: int = knob(2, 1, 8)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "turns, moves and recolours images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """The numbers of operations (operations, n) and how strong each is, with a sign (operations, n)."""
        magnitude = value(self.magnitude, progress)
        if magnitude == 0:
            return None
        from steelyard.techniques.operations import picked, signs

        picks = picked(self.operations, shapes[0][0], stream)
        return picks, magnitude * signs(picks, stream)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.operations import operated

        ((images,), (picks, amounts)) = inputs, drawn
        for pick, amount in zip(picks, amounts, strict=True):
            images = operated(images, pick, amount)
        return (images,)
