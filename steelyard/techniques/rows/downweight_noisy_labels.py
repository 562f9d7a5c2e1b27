"""Ren et al. 2018, "Learning to Reweight Examples for Robust Deep Learning", section 3 (arXiv 1803.09050).

Here weights do not come from a clean set but from suspicion, as in Northcutt, Jiang & Chuang 2021 (arXiv 1911.00068).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.noisy import unlabelled, with_labels
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class DownweightNoisyLabels(Technique):
    """Weighs the `share` of train rows whose labels are most suspicious less in the loss, by `strength`.

    A row counts 1 - `strength` then. Suspicion comes from quick models cross-fitted inside train.
    Helps when some labels are wrong and nobody can look at them: hard rows that are right are still learnt from.
    Hurts when labels are right: hard rows are what a model has most to learn from.
    Costs a few fits of a linear model.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.2
    unasked: ClassVar = False
    off: ClassVar = {"share": 0.0}
    share: float = knob(0.1, 0.0, 0.9)
    strength: float = knob(0.8, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := unlabelled(recipe, problem):
            return useless
        if problem.heads:
            return NotApplicable("a row has several targets: a weight for one of them would weigh them all")
        if recipe.network is None and "estimator.class_weights" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} does not weigh rows")
        settings = {"treatment": "weigh", "share": self.share, "strength": self.strength}
        return self.unless_same(recipe, with_labels(recipe, **settings))
