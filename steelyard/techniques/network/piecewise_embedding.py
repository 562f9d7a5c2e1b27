"""Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", section 3.2 (arXiv
2203.05556): bins at quantiles.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class PiecewiseEmbedding(Technique):
    """Embeds each number by what is learnt between `bins` quantiles of it, in the place of waves; 0 leaves it as it is.

    Helps when the answer bends or jumps at certain values of a column, as trees find them: ages, prices, counts.
    Hurts when few rows fall into each bin, or when the answer moves smoothly, for which waves are made.
    Costs about as much a step as waves; more where there are many columns.
    """

    treats: ClassVar = ("bias", "variance")
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"bins": 0}
    bins: int = knob(16, 0, 256)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        known = recipe.knobs()
        path = next((p for p in ("network.piecewise", "network.table.piecewise") if p in known), "")
        if not path:
            return NotApplicable(f"{recipe.family} does not embed numbers")
        return self.turned(recipe, {path: self.bins or known[path]})
