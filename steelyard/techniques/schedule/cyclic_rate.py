"""Huang et al. 2017, "Snapshot Ensembles: Train 1, get M for free", section 3 (arXiv 1704.00109)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Cyclic, carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class CyclicRate(Technique):
    """Lets the learning rate fall along a cosine `cycles` times, all equally long.

    Helps when training settles in a poor minimum, or when the minima at the ends of the cycles make an ensemble.
    Hurts when the run is short: every cycle begins by undoing part of the last one.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"cycles": 1}
    cycles: int = knob(5, 1, 100)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        return self.turned(recipe, {"optimizer.lr": Cyclic(**now, cycles=self.cycles)})
