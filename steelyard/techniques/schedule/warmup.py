"""Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2 (arXiv 1706.02677).

For adaptive optimizers: Ma & Yarats 2021, "On the adequacy of untuned warmup for adaptive optimization"
(arXiv 1910.04209).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from steelyard.knobs import Constant, Knob, Schedule, Warmed, carried, knob, start
from steelyard.knobs import Warmup as Rising
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

MOST = 0.9  # of training that a warm-up may take


@dataclass(frozen=True)
class Warmup(Technique):
    """Raises the learning rate in a straight line over the first `share` of training, before its own schedule.

    It begins at `floor` times the rate that it reaches. Where there is a warm-up already, it lasts so much longer.
    Helps when the first steps are unstable: large batches, high rates, deep networks, adaptive optimizers.
    Hurts when the run is so short that it takes the steps the descent needs.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"share": 0.0}
    share: float = knob(0.05, 0.0, MOST)
    floor: float = knob(0.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        now = recipe.get("optimizer.lr")
        if isinstance(now, Schedule) and not isinstance(now, Warmed | Rising | Constant):
            return NotApplicable(f"a rate that goes by {now.word} has a beginning of its own")
        return recipe if self.is_off else self.turned(recipe, {"optimizer.lr": self._warmed(now)})

    def _warmed(self, now: Knob) -> Knob:
        warmup = min(round(carried(now)["warmup"] + self.share, 9), MOST)
        if isinstance(now, Warmed):
            return replace(now, **{"warmup": warmup, "floor": self.floor})
        return Rising(start(now), warmup, self.floor)
