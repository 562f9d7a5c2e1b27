"""Robbins & Monro 1951, "A Stochastic Approximation Method", Annals of Mathematical Statistics 22(3).

There steps must shrink for the noise to die out; this is the control that leaves them as they are.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Warmup, carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class ConstantRate(Technique):
    """Keeps the learning rate at `level` times where it starts, without any annealing: a negative control.

    A warm-up stays. With `annealing` the rate keeps the schedule it has. A `level` of ½ is the mean of a cosine.
    Helps when training is so short, or so far from done, that annealing only slows it; or where weights are averaged.
    Hurts when the noise of the last steps matters, which is nearly always.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"annealing": True}
    annealing: bool = False
    level: float = knob(1.0, 0.001, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        rate = now["start"] * self.level
        warmed = Warmup(rate, now["warmup"], now["floor"])
        return self.turned(recipe, {"optimizer.lr": warmed if now["warmup"] else rate})
