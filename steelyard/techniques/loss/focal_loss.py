"""Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 4 (arXiv 1708.02002)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class FocalLoss(Technique):
    """Multiplies what a class adds to the loss by (1 - p)^γ, p its probability: what is easy counts for less.

    Helps when most rows of the common class are learnt soon, and their many small losses drown the few hard rows.
    Hurts when labels are noisy, since wrong ones are the hardest rows, or when log loss is the measure: the
    probabilities become timid.
    Costs almost nothing.
    """

    treats: ClassVar = ("imbalance",)
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"gamma": 0.0}
    gamma: Knob = knob(2.0, 0.0, 20.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "looks at probabilities of classes", self.is_off):
            return useless
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained by gradients of a loss")
        return self.turned(recipe, {"loss.focal": self.gamma})
