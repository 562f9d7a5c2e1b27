"""Drummond & Holte 2003, "C4.5, Class Imbalance, and Cost Sensitivity", section 2 (ICML workshop on imbalanced data).

Drawn anew in every epoch, as ensembles of under-sampled sets do (Liu, Wu & Zhou 2009, "Exploratory Undersampling for
Class-Imbalance Learning", IEEE Transactions on Systems, Man, and Cybernetics B 39(2), section III).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class UnderSampling(Technique):
    """Leaves out rows of common classes, others in every epoch: of class k, n^(1 - power) * (rarest)^power are left.

    n are the rows of the class, `rarest` those of the rarest one; at power 1 all classes have as many.
    Helps when rows are plenty, rare classes matter as much as common ones, and time is short.
    Hurts when rare rows are few: epochs become short, and the network takes fewer steps (train longer for it); and
    when plain accuracy or log loss is the measure.
    Costs nothing and saves time: an epoch has fewer rows.
    """

    treats: ClassVar = ("imbalance",)
    time_ratio: ClassVar = 0.7
    off: ClassVar = {"power": 0.0}
    power: float = knob(0.5, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "leaves out rows of common classes", self.is_off):
            return useless
        if recipe.batch is None:
            return NotApplicable(f"{recipe.family} is not trained on batches; class-weights does the same for it")
        return self.turned(recipe, {"batch.undersample": self.power})
