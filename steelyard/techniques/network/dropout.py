"""Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, section 4."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Dropout(Technique):
    """Zeroes every hidden value with probability p in training, so that no unit can rely on another.

    Helps when the network memorises: train error far below dev error.
    Hurts when it underfits, is narrow or trains for few epochs, and in regressions, where it shifts the variance of
    what the last layer sees between training and prediction.
    Costs a sixth to a fifth more time a step in small networks, and often needs more epochs.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.2
    off: ClassVar = {"p": 0.0}
    p: Knob = knob(0.15, 0.0, 0.95)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} has no hidden units to drop")
        return self.raised(recipe, "network.dropout", self.p)
