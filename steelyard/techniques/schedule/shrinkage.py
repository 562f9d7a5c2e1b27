"""Friedman 2001, "Greedy Function Approximation", Annals of Statistics 29(5), section 5 (shrinkage).

With feature sampling for each split after Breiman 2001, "Random Forests", and Friedman 2002, "Stochastic gradient
boosting", Computational Statistics & Data Analysis 38(4).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Shrinkage(Technique):
    """Boosts in many small steps, each split from a sample of the features, until a tenth of train stops gaining.

    Categories are split as sets of levels instead of as ordered codes.
    Helps when boosting at its defaults stops too early or takes steps that are too large: most tables.
    Hurts when there are so few rows that the tenth held out for stopping is missed.
    Costs several times the training time, and a larger model.
    """

    treats: ClassVar = ("bias", "variance", "optimization")
    time_ratio: ClassVar = 4.0
    off: ClassVar = {
        "learning_rate": 0.1,
        "iterations": 100,
        "patience": 10,
        "max_features": 1.0,
        "early_stopping": "auto",
        "categories": "ordinal",
    }
    learning_rate: float = knob(0.05, 1e-4, 1.0)
    iterations: int = knob(2000, 1, 100_000)
    patience: int = knob(20, 1, 10_000)
    max_features: float = knob(0.5, 0.001, 1.0)
    early_stopping: Literal["auto", "on", "off"] = "on"
    categories: Literal["ordinal", "native"] = "native"

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.family != "boosting":
            return NotApplicable(f"it sets how boosting steps, and this is {recipe.family}")
        return self.turned(recipe, {f"estimator.{name}": value for name, value in vars(self).items()})
