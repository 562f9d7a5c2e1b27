"""Hoerl & Kennard 1970, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", Technometrics 12(1).

In networks: Krogh & Hertz 1992, "A Simple Weight Decay Can Improve Generalization", NeurIPS 4.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, Schedule, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import STEPWISE
from steelyard.techniques.technique import NotApplicable, Technique

USUAL = 5e-4


@dataclass(frozen=True)
class L2(Technique):
    """Adds `strength` times each weight to its gradient: the classical penalty on the squares of the weights.

    It is `optimizer.l2`; norms and biases stay free. Under SGD it is weight decay by another name; Adam scales it
    along with the gradient, so that weights with large gradients are hardly pulled: weigh weight-decay against it.
    Helps when the network overfits and is trained with SGD.
    Hurts when it underfits; under Adam it says little about how strongly weights are pulled.
    Costs nothing.
    """

    treats: ClassVar = ("variance",)
    unasked: ClassVar = False
    off: ClassVar = {"strength": 0.0}
    strength: Knob = knob(USUAL, 0.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} {STEPWISE}")
        now = recipe.get("optimizer.l2")
        schedule = isinstance(now, Schedule) or isinstance(self.strength, Schedule)
        return self.turned(recipe, {"optimizer.l2": self.strength if schedule else now + self.strength})
