"""Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1 (arXiv 1412.6980)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Adam(Technique):
    """Trains with Adam at its published constants: steps scaled by a long memory of squared gradients (β₂ 0.999).

    Without `on` the optimizer stays as it is. From SGD, the rate is divided by 50 and the pulls are multiplied.
    Helps when gradients differ much in size between layers or inputs, or are rare: embeddings, sparse columns.
    Hurts when plain SGD is tuned well, whose minima may predict better; its long memory starts slowly in short runs.
    Costs nothing against AdamW; against SGD a second moment for each weight.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange(self, recipe, "adam", beta2=0.999)
