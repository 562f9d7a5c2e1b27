"""Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5 (arXiv 1608.03983)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Restarts, carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Sgdr(Technique):
    """Lets the learning rate fall along a cosine `cycles` times, each fall `T_mult` times as long as the one before.

    Helps when training settles in a poor minimum, or when the minima on the way are wanted for an ensemble.
    Hurts when the run is short: every restart undoes part of the last descent.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    off: ClassVar = {"cycles": 1}
    cycles: int = knob(3, 1, 100)
    T_mult: float = knob(2.0, 0.1, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        return self.turned(recipe, {"optimizer.lr": Restarts(**now, cycles=self.cycles, T_mult=self.T_mult)})
