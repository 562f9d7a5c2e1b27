"""Mikolov et al. 2013, "Distributed Representations of Words and Phrases", section 2.3 (arXiv 1310.4546), for words.

For classes as in Mahajan et al. 2018, "Exploring the Limits of Weakly Supervised Pretraining", section 2.2
(arXiv 1805.00932).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class SquareRootSampling(Technique):
    """Draws rows with replacement, class k in proportion to the square root of its rows: half-way to equal shares.

    In full it is over-sampling with another `power`: class k comes in proportion to (its rows)^(1 - power).
    Helps when rare classes matter, but drawing all classes equally often would learn the few rare rows by heart.
    Hurts when plain accuracy or log loss is the measure, or when the probabilities must be calibrated.
    Costs nothing.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"power": 0.0}
    power: float = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "draws classes more or less often", self.is_off):
            return useless
        if recipe.batch is None:
            return NotApplicable(f"{recipe.family} is not trained on batches; class-weights does the same for it")
        return self.turned(recipe, {"batch.oversample": self.power})
