"""Daumé III 2007, "Frustratingly Easy Domain Adaptation", section 3.1, the baseline "weighted" (arXiv 0907.1815)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class TargetSourceWeighting(Technique):
    """Weighs train rows of other sources than the one the model is for by `helpers`, which is less than 1.

    Helps when sources differ in their inputs, or in what follows from them, and train holds some target rows.
    Hurts when sources are alike: what helper rows teach is thrown away; or when target rows are few and noisy.
    Costs nothing.
    """

    treats: ClassVar = ("mismatch",)
    time_ratio: ClassVar = 1.0
    off: ClassVar = {"helpers": 1.0}
    helpers: float = knob(0.3, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if not problem.mixed_sources:
            return NotApplicable("all rows are from one source, as far as it was told (--source-column)")
        if problem.heads and recipe.network is None:
            return NotApplicable("a classical model of several targets does not weigh rows")
        if recipe.network is None and "estimator.class_weights" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} does not weigh rows")
        weighed = recipe.with_part("sources", part_kind("target-source").read({"helpers": self.helpers}))
        return self.unless_same(recipe, weighed)
