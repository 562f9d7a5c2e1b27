"""Buda et al. 2018, "A systematic study of the class imbalance problem", section 2.1 (arXiv 1710.05381).

Powers below 1 (square-root sampling at 0.5) as in Mikolov et al. 2013, section 2.3 (arXiv 1310.4546), for words.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
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
    power: float = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.task == "regression":
            return NotApplicable("it draws classes more or less often, and this is a regression")
        if problem.heads:
            return NotApplicable("a row has several targets: drawing it for one of them draws it for all")
        if problem.balanced and not self.is_off:
            return NotApplicable("the classes are about equally frequent already")
        if recipe.batch is None:
            return NotApplicable(f"{recipe.family} is not trained on batches; class-weights does the same for it")
        return self.turned(recipe, {"batch.oversample": self.power})
