"""Polyak & Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30(4).

The exponential average as in Tarvainen & Valpola 2017, section 2 (arXiv 1703.01780).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Ema(Technique):
    """Keeps a moving average of the weights over the last `span` of training and predicts with it.

    Helps when the weights still move at the end: a constant or high last learning rate, small batches, noisy labels.
    Hurts when the span reaches back to poor weights; gains little where the learning rate falls to zero.
    Costs a copy of the weights and about a tenth more time a step.
    """

    treats: ClassVar = ("variance", "optimization")
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"span": 0.0}
    span: float = knob(0.05, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained step by step: there are no weights to average")
        average = part_kind("ema").read({"span": self.span})
        return self.unless_same(recipe, recipe.with_part("averaging", average))
