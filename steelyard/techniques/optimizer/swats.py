"""Keskar & Socher 2017, "Improving Generalization Performance by Switching from Adam to SGD", algorithm 1.

arXiv 1712.07628.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import STEPWISE, exchanged
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Swats(Technique):
    """Trains with Adam until the rate that SGD would need has settled, then goes on with SGD at that rate.

    It has settled when it is within `tolerance` (a share) or `eps` (as published, absolute) of its own running average;
    with both at 0 it never has. The published 1e-9 alone is hardly ever met. `beta2` none keeps the recipe's. From SGD,
    the rate is divided by 50.
    Helps when Adam gains fast at first and SGD predicts better in the end: convolutional networks, long runs.
    Hurts when the switch comes by chance before the rate has settled, or so late that SGD has no time.
    Costs a tenth to a fifth more time a step in small networks until it switches.
    """

    treats: ClassVar = ("optimization",)
    time_ratio: ClassVar = 1.15
    unasked: ClassVar = False
    off: ClassVar = {"tolerance": 0.0, "eps": 0.0, "beta2": None}
    tolerance: float = knob(0.01, 0.0, 1.0)
    eps: float = knob(1e-9, 0.0)
    beta2: float | None = knob(0.999, 0.0, 0.99999)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} {STEPWISE}")
        if self.is_off and recipe.optimizer.kind != "adam-w":
            return recipe
        memory = {} if self.beta2 is None else {"beta2": self.beta2}
        return self.unless_same(recipe, exchanged(recipe, "swats", tolerance=self.tolerance, eps=self.eps, **memory))
