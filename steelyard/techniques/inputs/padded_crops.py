"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2 (arXiv 1512.03385), as it is there.

That networks see where the border is by its padding: Islam et al. 2020, "How Much Position Information Do Convolutional
Neural Networks Encode?", section 4 (arXiv 2001.08248).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class PaddedCrops(Technique):
    """Shifts every image by up to `shift` of its height and width, at random; what slides in is black.

    Helps when images have a black ground anyway, as digits do, and a mirrored border would show half of a second thing.
    Hurts when it has not: networks learn the border. A black edge that no image has at prediction tells them where
    things were, and batch norms reckon with more black than there is; mirrored `shifted-crops` are safer.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    unasked: ClassVar = False
    off: ClassVar = {"shift": 0.0}
    shift: Knob = knob(0.125, 0.0, 0.5)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "shifts images", ShiftedCrops(self.shift, "black"))
