"""Zagoruyko & Komodakis 2016, "Wide Residual Networks", section 3 (arXiv 1605.07146)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

WIDTHS = ("network.width", "estimator.max_leaf_nodes", "estimator.trees")


@dataclass(frozen=True)
class Wider(Technique):
    """Makes every layer `factor` times as wide; boosted trees get as many more leaves, forests as many more trees.

    Helps when even the training examples are not predicted well: more capacity at the same depth.
    Hurts when the model memorises already and nothing restrains it.
    Costs time and size: twice as wide is up to four times the multiplications.
    """

    treats: ClassVar = ("bias",)
    time_ratio: ClassVar = 2.5
    off: ClassVar = {"factor": 1.0}
    factor: float = knob(2.0, 1.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        known = recipe.knobs()
        for path in WIDTHS:
            if path in known:
                return self.turned(recipe, {path: round(known[path] * self.factor)})
        return NotApplicable(f"{recipe.family} has no width")
