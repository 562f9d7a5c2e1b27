"""Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, section 3.2.

(arXiv 1911.00068)
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.noisy import unlabelled, with_labels
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class PruneNoisyLabels(Technique):
    """Leaves out the `share` of train rows whose labels are most suspicious, at most half of any class.

    Suspicion comes from quick models cross-fitted inside train; of several targets only the suspicious one is left out.
    Helps when labels are wrong at random, and `steelyard labels find` estimates about as many wrong ones.
    Hurts when labels are right and hard rows are taken for wrong ones, or when rare cases look like mistakes.
    Costs a few fits of a linear model.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.2
    unasked: ClassVar = False
    off: ClassVar = {"share": 0.0}
    share: float = knob(0.05, 0.0, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := unlabelled(recipe, problem):
            return useless
        return self.unless_same(recipe, with_labels(recipe, treatment="prune", share=self.share))
