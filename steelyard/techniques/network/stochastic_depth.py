"""Huang et al. 2016, "Deep Networks with Stochastic Depth", section 3 (arXiv 1603.09382)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class StochasticDepth(Technique):
    """Leaves out residual blocks at random in training, the last one at rate p, earlier ones ever more rarely.

    Each example skips blocks of its own; what stays is scaled up, so that predictions use the whole network.
    Helps when a deep residual network memorises, or learns slowly because gradients hardly reach its first layers.
    Hurts when the network is shallow, narrow or trained for few epochs: then every block is needed.
    Costs almost nothing a step, and often needs more epochs.
    """

    treats: ClassVar = ("variance", "optimization")
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"p": 0.0}
    p: Knob = knob(0.2, 0.0, 0.95)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "network.stochastic_depth" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} has no residual blocks to leave out")
        return self.turned(recipe, {"network.stochastic_depth": self.p})
