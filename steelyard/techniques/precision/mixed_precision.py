"""Micikevicius et al. 2018, "Mixed Precision Training" (arXiv 1710.03740).

bfloat16 instead of float16, which needs no scaling of the loss: Kalamkar et al. 2019 (arXiv 1905.12322).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class MixedPrecision(Technique):
    """Computes the matrix products of training in a shorter number format; weights, loss and last layer stay float32.

    Helps when the network is large and the processor multiplies short numbers in hardware: a step takes less time.
    Hurts when the network is small or the processor has no such hardware, where a step takes longer; float16 can
    overflow, and updates that are small beside their weight are lost in both formats.
    Costs a little accuracy at most; the time is what is weighed.
    """

    treats: ClassVar = ("speed",)
    time_ratio: ClassVar = 0.8
    unasked: ClassVar = False
    off: ClassVar = {"dtype": "float32"}
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not a network: it has no steps to compute in other numbers")
        before = recipe if recipe.precision else recipe.with_part("precision", part_kind("precision").read({}))
        return self.unless_same(before, before.set("precision.dtype", self.dtype))
