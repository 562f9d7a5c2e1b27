"""Buda et al. 2018, "A systematic study of the class imbalance problem", section 2.1 (arXiv 1710.05381)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class OverSampling(Technique):
    """Draws rows with replacement, class k in proportion to (its rows)^(1 - power): at 1 all classes equally often.

    An epoch keeps its number of rows, so that common classes are seen less often for it.
    Helps when rare classes matter as much as common ones, and batches hardly ever hold one.
    Hurts when plain accuracy or log loss is the measure, and when the few rare rows are learnt by heart.
    Costs nothing.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"power": 0.0}
    power: float = knob(1.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "draws classes more or less often", self.is_off):
            return useless
        if problem.heads:
            return NotApplicable("a row has several targets: drawing it for one of them draws it for all")
        if recipe.batch is None:
            return NotApplicable(f"{recipe.family} is not trained on batches; class-weights does the same for it")
        return self.turned(recipe, {"batch.oversample": self.power})
