"""King & Zeng 2001, "Logistic Regression in Rare Events Data", Political Analysis 9(2), section 4.

Powers below 1, which weigh less than in full, as in Mahajan et al. 2018, section 2.2 (arXiv 1805.00932).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class ClassWeights(Technique):
    """Weighs a row of class k by (rows of class k)^-power, mean 1: at 1 all classes count alike, at 0.5 half-way.

    Helps when rare classes matter as much as common ones: balanced accuracy, F1, recall.
    Hurts when plain accuracy or log loss is the measure, or when probabilities must be calibrated.
    Costs nothing.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"power": 0.0}
    power: float = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.task in {"regression", "multioutput"}:
            return NotApplicable("it weighs classes, and this is a regression")
        if problem.balanced and not self.is_off:
            return NotApplicable("the classes are about equally frequent already")
        path = "loss.class_weights" if recipe.network else "estimator.class_weights"
        if path not in recipe.knobs():
            return NotApplicable(f"{recipe.family} does not weigh classes")
        return self.turned(recipe, {path: self.power})
