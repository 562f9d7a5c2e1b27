"""Kendall et al. 2018, "Multi-Task Learning Using Uncertainty to Weigh Losses", section 3 (arXiv 1705.07115).

In closed form, as Kirchdorfer et al. 2024 derive it (arXiv 2408.07985): the learnt uncertainties at their optimum for
each batch make a target weigh one over its loss. So there are no parameters beside those of the network.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class LearnedLossWeights(Technique):
    """Weighs each of several targets by (its loss in the batch)^-strength, mean 1: the uncertain ones less.

    Helps when targets are of unlike kinds or some are mostly noise, which then does not drown the others.
    Hurts when the target that is hard to predict is the one that matters, or a nearly perfect one takes all.
    Costs nothing.
    """

    treats: ClassVar = ("bias", "optimization")
    off: ClassVar = {"strength": 0.0}
    strength: float = knob(1.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.task not in {"multioutput", "multitask"}:
            return NotApplicable("it weighs several values or tasks against each other, and here there are none")
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} learns every target on its own: there are no losses to weigh")
        return self.turned(recipe, {"loss.by_uncertainty": self.strength})
