"""Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization" (arXiv 1803.05407)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Swa(Technique):
    """Averages the weights at the ends of all epochs after `start` of training, alike, and keeps the average.

    Helps when the rate is still high at the end (constant or cyclic), so that the weights wander around a good place.
    Hurts when the rate falls to nothing anyway, or when training is so short that early weights drag the mean down.
    Costs a copy of the weights, and one pass over the data where the network has batch norms.
    """

    treats: ClassVar = ("variance", "optimization")
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"start": 1.0}
    start: float = knob(0.75, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} has no weights that wander from epoch to epoch")
        average = part_kind("swa").read({"start": self.start})
        return self.unless_same(recipe, recipe.with_part("averaging", average))
