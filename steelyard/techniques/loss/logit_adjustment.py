"""Menon et al. 2021, "Long-tail learning via logit adjustment", equation 10 (arXiv 2007.07314)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class LogitAdjustment(Technique):
    """Adds τ log(share of class k) to the logits while learning, so that the network learns what is beyond the shares.

    At τ 1 its probabilities are those in a world where all classes are equally frequent.
    Helps when rare classes matter as much as common ones: balanced accuracy is what it is consistent for.
    Hurts when plain accuracy or log loss is the measure, or when probabilities must be those of the data.
    Costs nothing.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"tau": 0.0}
    tau: float = knob(1.0, 0.0, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "adjusts for the shares of classes", self.is_off):
            return useless
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained on logits; decision-threshold does the same for it")
        return self.turned(recipe, {"loss.logit_adjustment": self.tau})
