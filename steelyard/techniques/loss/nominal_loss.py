"""Goodfellow et al. 2016, "Deep Learning", section 6.2.2.3 (cross-entropy); Cao et al. 2020 (arXiv 1901.07884).

Ordered classes start from the loss of the latter, which asks at every threshold whether the class is higher.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class NominalLoss(Technique):
    """Learns ordered classes by plain cross-entropy, as if they had no order; a `share` between mixes both losses.

    Helps when only the right class counts, classes are separate islands, or the order is not that of the inputs.
    Hurts when the distance in ranks is the measure: a far class is no worse a mistake than a near one.
    Costs nothing.
    """

    treats: ClassVar = ("bias",)
    off: ClassVar = {"share": 0.0}
    share: float = knob(1.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if problem.task != "ordinal":
            return NotApplicable("it forgets the order of classes, and these have none")
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} does not know the order of the classes anyway")
        return self.turned(recipe, {"loss.nominal": self.share})
