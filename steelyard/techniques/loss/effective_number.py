"""Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", section 4 (arXiv 1901.05555)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class EffectiveNumber(Technique):
    """Weighs a row of class k by (1 - β) / (1 - β^n), n its rows: one over how many of them are not repetitions.

    At β 0 all rows weigh alike, towards 1 all classes do; classes of far more than 1 / (1 - β) rows weigh alike.
    Helps when rare classes matter, and common ones hold many rows that say the same.
    Hurts when plain accuracy or log loss is the measure, or when probabilities must be calibrated.
    Costs nothing.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"beta": 0.0}
    beta: float = knob(0.999, 0.0, 0.999999)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "weighs classes", self.is_off):
            return useless
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} has no loss on batches; class-weights does much the same for it")
        return self.turned(recipe, {"loss.effective_number": self.beta})
