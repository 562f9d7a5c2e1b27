"""Defazio et al. 2024, "The Road Less Scheduled", algorithm 1 (arXiv 2405.15682)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Warmup, knob, start
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import STEPWISE, exchanged
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class ScheduleFree(Technique):
    """Trains with schedule-free AdamW: a constant rate, and predictions from a running average of the weights.

    Without `on` the optimizer stays as it is. The rate stays at the height of the recipe's schedule (a fiftieth of it
    from SGD) after a warm-up over the first `warmup` of training, and does not fall.
    Helps when it is not known how long training will last, or every epoch shall leave a model that is done.
    Hurts when a falling rate is tuned well already, and in networks with batch norm, whose statistics lag behind.
    Costs up to a fifth more time a step in small networks and two numbers more for each weight than AdamW.
    """

    treats: ClassVar = ("optimization",)
    time_ratio: ClassVar = 1.1
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True
    warmup: float = knob(0.05, 0.0, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} {STEPWISE}")
        after = exchanged(recipe, "schedule-free", beta2=0.999)
        rate = start(after.get("optimizer.lr"))
        after = after.set("optimizer.lr", Warmup(rate, self.warmup) if self.warmup else rate)
        if after == recipe:
            return NotApplicable("the optimizer is schedule-free with these settings already")
        return recipe if self.is_off else after
