"""Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2 (arXiv 1711.05101)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class AdamW(Technique):
    """Trains with AdamW: steps scaled by a short memory of squared gradients (β₂ 0.95), weights decayed apart.

    Without `on` the optimizer stays as it is. From SGD, the rate is divided by 50 and the pulls are multiplied.
    Helps when the network has embeddings or few steps to train, or the rate of SGD is hard to find.
    Hurts when plain SGD is tuned well, whose minima may predict better.
    Costs a second moment for each weight, and no time worth speaking of.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange(self, recipe, "adam-w", beta2=0.95)
