"""Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 2.

The central patch, here for training and prediction alike, since what a network never saw it need not be shown.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import KINDS
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class CenterCrop(Technique):
    """Cuts the share `center` of both sides out of the middle of every image, before anything else and in prediction.

    Helps when what matters is in the middle and the border is ground, frame or a watermark; where images are shrunk to
    a size, more pixels are left for the middle.
    Hurts when the border tells the class or things stand anywhere.
    Costs nothing; without shrinking, a step takes less time.
    """

    treats: ClassVar = ("variance", "speed")
    time_ratio: ClassVar = 0.9
    unasked: ClassVar = False
    off: ClassVar = {"center": 1.0}
    center: float = knob(0.875, 0.1, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.modality != "image":
            return NotApplicable(f"it cuts out of images, and {KINDS[problem.modality]}")
        return self.turned(recipe, {"prepare.center": self.center})
