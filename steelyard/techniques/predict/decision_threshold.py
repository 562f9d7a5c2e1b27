"""Sheng & Ling 2006, "Thresholding for Making Classifiers Cost-sensitive", section 3 (AAAI).

For F1 see Lipton et al. 2014, "Thresholding Classifiers to Maximize F1 Score" (arXiv 1402.1892).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.metrics import COST
from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.imbalance import CLASSES, nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class DecisionThreshold(Technique):
    """Moves the probability at which a class is predicted to where the metric is best on dev, by `share` of the way.

    Every dev example is scored with thresholds tuned on others; the model is saved with those tuned on all of dev.
    Helps when the metric or the costs want rare classes found, and the model was trained on how often they occur.
    Hurts when dev holds few rare rows, so that the best place is one of chance; precision or recall alone as the metric
    is best where everything or almost nothing is predicted.
    Costs nothing: the model is trained as before.
    """

    treats: ClassVar = ("imbalance",)
    off: ClassVar = {"share": 0.0}
    share: float = knob(1.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        paid = problem.metric == COST and bool(problem.classes)  # costs may call for a threshold where classes are even
        labelled = (*CLASSES, "multilabel")  # every label has a threshold of its own
        useless = nothing_to_balance(problem, "moves thresholds between classes", self.is_off, labelled)
        if useless and not paid:
            return useless
        if problem.measure.needs != "labels":
            return NotApplicable(f"{problem.metric} looks at the probabilities themselves, which no threshold changes")
        if recipe.family == "dummy":
            return NotApplicable("a dummy says the same of every row, wherever the threshold is")
        return self.unless_same(
            recipe, recipe.with_part("decision", part_kind("tuned-threshold").read({"share": self.share}))
        )
