"""Hinton 2012, lecture 6e of "Neural Networks for Machine Learning" (Tieleman & Hinton, RMSProp)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Rmsprop(Technique):
    """Trains with RMSprop: the gradient divided by the root of its mean square, without momentum.

    Without `on` the optimizer stays as it is. The rate is half of that of Adam, a hundredth of that of SGD.
    Helps when momentum overshoots: recurrent networks, targets that move.
    Hurts when gradients are noisy, which momentum would smooth.
    Costs up to a tenth more time a step in small networks.
    """

    treats: ClassVar = ("optimization",)
    time_ratio: ClassVar = 1.1
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange(self, recipe, "rmsprop")
