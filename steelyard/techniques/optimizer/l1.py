"""Tibshirani 1996, "Regression Shrinkage and Selection via the Lasso", JRSS B 58(1).

Applied after each step as a proximal step (Parikh & Boyd 2014, "Proximal Algorithms", sections 4.2 and 6.5.2).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import usual
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class L1(Technique):
    """Pulls every weight towards zero by the same amount a step, so that needless ones become exactly zero.

    `strength` is `optimizer.l1`; left open, a usual amount for the optimizer.
    Helps when many inputs are irrelevant, or a sparse network is wanted.
    Hurts when most inputs matter a little, or the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"strength": 0.0}
    strength: Knob | None = knob(None, 0.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None or recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} has no L1 penalty here")
        strength = usual(recipe.optimizer.kind, "l1") if self.strength is None else self.strength
        return self.turned(recipe, {"optimizer.l1": strength})
