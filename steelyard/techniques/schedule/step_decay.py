"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2 (arXiv 1512.03385)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Step, carried, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class StepDecay(Technique):
    """Holds the learning rate and multiplies it by `factor` whenever the share `every` of training is over.

    At a `factor` of 1 the rate keeps the schedule it has.
    Helps when a high rate is worth holding for long before the noise of the steps is taken out.
    Hurts when the drops come too early: what the high rate had still to find is not found any more.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"factor": 1.0}
    factor: float = knob(0.1, 1e-6, 1.0)
    every: float = knob(1 / 3, 0.01, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        rate = Step(now["start"], self.factor, self.every, warmup=now["warmup"], floor=now["floor"])
        return self.turned(recipe, {"optimizer.lr": rate})
