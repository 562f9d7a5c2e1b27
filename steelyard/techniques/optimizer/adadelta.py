"""Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method", algorithm 1 (arXiv 1212.5701)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Adadelta(Technique):
    """Trains with Adadelta, which takes the size of its steps from the sizes of its last steps.

    Without `on` the optimizer stays as it is. The rate only scales the steps: 1 as published where Adam's would be
    0.001; a schedule keeps its shape.
    Helps when no good rate is known and there is no time to look for one.
    Hurts when the run is short: its steps begin tiny and take many to grow.
    Costs a tenth to a quarter more time a step in small networks and two numbers for each weight.
    """

    treats: ClassVar = ("optimization",)
    time_ratio: ClassVar = 1.15
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange(self, recipe, "adadelta")
