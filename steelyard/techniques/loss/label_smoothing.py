"""Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7 (arXiv 1512.00567)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class LabelSmoothing(Technique):
    """Turns a target y into y(1 - α) + α/K, so that the network is never asked to be certain.

    Helps when labels are noisy, classes are many or the network is over-confident.
    Hurts when probabilities must be sharp, or the network is to be distilled afterwards.
    Costs nothing.
    """

    treats: ClassVar = ("variance",)
    off: ClassVar = {"alpha": 0.0}
    alpha: Knob = knob(0.1, 0.0, 0.999)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.task in {"regression", "multioutput"}:
            return NotApplicable("it smooths class labels, and this is a regression")
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained by gradients on soft labels")
        return self.turned(recipe, {"loss.label_smoothing": self.alpha})
