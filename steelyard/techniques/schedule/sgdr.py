"""Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5 (arXiv 1608.03983)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Restarts, knob, start
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Sgdr(Technique):
    """Lets the learning rate fall along a cosine `cycles` times, each fall `mult` times as long as the one before.

    Helps when training settles in a poor minimum, or when the minima on the way are wanted for an ensemble.
    Hurts when the run is short: every restart undoes part of the last descent.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    off: ClassVar = {"cycles": 1}
    cycles: int = knob(3, 1, 100)
    mult: float = knob(2.0, 0.1, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        now = recipe.get("optimizer.lr")
        shape = [float(getattr(now, name, 0.0)) for name in ("end", "warmup", "floor")]
        restarts = Restarts(start(now), shape[0], self.cycles, self.mult, *shape[1:])
        return self.turned(recipe, {"optimizer.lr": restarts})
