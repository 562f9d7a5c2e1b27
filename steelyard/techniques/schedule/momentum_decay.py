"""Chen et al. 2022, "Demon: Improved Neural Network Training with Momentum Decay" (arXiv 1910.04952)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Demon, knob, start
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class MomentumDecay(Technique):
    """Lets momentum (β₁ of Adam) fall to `share` of itself, most of it at the end of training.

    A gradient's total weight in all later steps, β/(1 - β), falls in a straight line when `share` is 0.
    Helps when a constant or slowly falling rate is kept: it anneals by itself.
    Hurts when the rate falls as well and the last steps become too small to get anywhere.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"share": 1.0}
    share: float = knob(0.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        known = recipe.knobs()
        now = {p: start(known[p]) for p in ("optimizer.beta1", "optimizer.momentum") if known.get(p)}
        if not now:
            return NotApplicable(f"{recipe.family} is not trained with a momentum that could fall")
        if self.is_off:
            return recipe
        return self.turned(recipe, {path: Demon(beta, beta * self.share, beta) for path, beta in now.items()})
