"""Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization", algorithm 1.

arXiv 2010.01412.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import STEPWISE, exchanged
from steelyard.techniques.technique import NotApplicable, Technique

BASES = {"sgd": "sam-sgd", "sam-sgd": "sam-sgd"}


@dataclass(frozen=True)
class Sam(Technique):
    """Takes each gradient at the worst point within `rho` of the weights, so that minima with flat surroundings win.

    Over the recipe's SGD or AdamW; over AdamW, with the rate translated, where the optimizer is another one.
    Helps when the network fits the train rows and predicts worse on others; most with noisy labels.
    Hurts when it underfits, or time is scarce: in the same time the plain optimizer takes twice as many steps.
    Costs a second forward and backward pass a step: twice the time.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 2.0
    off: ClassVar = {"rho": 0.0}
    rho: Knob = knob(0.05, 0.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} {STEPWISE}")
        kind = recipe.optimizer.kind
        if self.is_off and kind not in ("adam-w", "sgd"):
            return recipe
        return self.unless_same(recipe, exchanged(recipe, BASES.get(kind, "sam-adam-w"), rho=self.rho))
