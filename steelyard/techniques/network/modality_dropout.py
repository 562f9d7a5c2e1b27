"""Neverova et al. 2015, "ModDrop: adaptive multi-modal gesture recognition", section 4.2 (arXiv 1501.00102)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class ModalityDropout(Technique):
    """Leaves out a whole branch of single examples with probability p in training: the table, the text or the image.

    Helps when texts or images will be missing later, or when one kind of input is learnt so fast that the network never
    looks at the others.
    Hurts when the answer needs two kinds together, and when training is short.
    Costs almost nothing a step, and often needs more epochs.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"p": 0.0}
    p: Knob = knob(0.1, 0.0, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "network.modality_dropout" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} has no branches for kinds of inputs")
        return self.turned(recipe, {"network.modality_dropout": self.p})
