"""Howard & Gugger 2020, "fastai: A Layered API for Deep Learning" (arXiv 2002.04688), of which it is `fit_flat_cos`.

Why a plateau and a short descent may do as well as a long one: Hägele et al. 2024, "Scaling Laws and Compute-Optimal
Training Beyond Fixed Training Durations", section 3 (arXiv 2405.18392).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import FlatCosine as Flat
from steelyard.knobs import carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class FlatCosine(Technique):
    """Holds the learning rate for the share `flat` of training, then lets it fall along half a cosine.

    At a `flat` of 0 the rate keeps the schedule it has.
    Helps when the rate is modest and training is still making way when a cosine has already brought it down.
    Hurts when the rate is high: the short descent has to take out all of its noise.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    off: ClassVar = {"flat": 0.0}
    flat: float = knob(0.7, 0.0, 0.99)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        return self.turned(recipe, {"optimizer.lr": Flat(**carried(recipe.get("optimizer.lr")), flat=self.flat)})
