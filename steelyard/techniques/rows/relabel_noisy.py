"""Reed et al. 2015, "Training Deep Neural Networks on Noisy Labels with Bootstrapping", section 3.2 (arXiv 1412.6596).

Here the predictions that targets are moved towards are those of other models, cross-fitted inside train.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.noisy import unlabelled, with_labels
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class RelabelNoisy(Technique):
    """Moves the targets of the `share` of train rows whose labels are most suspicious towards what is predicted.

    By `strength` of the way, to soft targets: what quick models cross-fitted inside train say of the row.
    Helps when many labels are wrong and rows are too few to leave any out.
    Hurts when the quick models err by a rule: the network learns their mistakes.
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
        if not problem.classes:
            return NotApplicable("it moves one class towards others, and this problem has no such target")
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained by gradients on soft labels")
        settings = {"treatment": "relabel", "share": self.share, "strength": self.strength}
        return self.unless_same(recipe, with_labels(recipe, **settings))
