"""Hastie, Tibshirani & Friedman 2009, "The Elements of Statistical Learning", section 7.3: variance grows with size."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

LEAST = {"network.width": 1, "estimator.max_leaf_nodes": 2}


@dataclass(frozen=True)
class Smaller(Technique):
    """Makes every layer `factor` times as wide; boosted trees get as many fewer leaves, those of forests larger ones.

    Helps when the model memorises and data is scarce, or when it must be small or fast.
    Hurts when the training examples are not predicted well already; large networks that are regularised often beat
    small ones that are not.
    Costs nothing: it saves time and memory.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 0.6
    unasked: ClassVar = False
    off: ClassVar = {"factor": 1.0}
    factor: float = knob(0.5, 0.01, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        known = recipe.knobs()
        for path, least in LEAST.items():
            if path in known:
                return self.turned(recipe, {path: max(least, round(known[path] * self.factor))})
        if "estimator.min_samples_leaf" in known:
            return self.turned(
                recipe, {"estimator.min_samples_leaf": round(known["estimator.min_samples_leaf"] / self.factor)}
            )
        return NotApplicable(f"{recipe.family} has no size")
