"""Senior et al. 2013, "An empirical study of learning rates in deep neural networks for speech recognition" (ICASSP).

Its exponential scheduling.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Exponential, carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class ExponentialDecay(Technique):
    """Lets the learning rate shrink by the same factor in every step, down to `share` of what it was.

    At a `share` of 1 the rate keeps the schedule it has.
    Helps when the best rate is not known well: it passes through all sizes for equally long.
    Hurts when training needs a high rate for long, which this leaves sooner than a cosine does.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"share": 1.0}
    share: float = knob(0.01, 1e-6, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        return self.turned(recipe, {"optimizer.lr": Exponential(**now | {"end": now["start"] * self.share})})
