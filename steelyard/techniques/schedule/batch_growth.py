"""Smith et al. 2018, "Don't Decay the Learning Rate, Increase the Batch Size", section 3 (arXiv 1711.00489)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Step, Warmup, carried, knob, start
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class BatchGrowth(Technique):
    """Holds the learning rate and makes the batch `factor` times as large whenever `every` of training is over.

    Where the rate would drop to a fifth the batch grows five times: both take as much noise out of the steps. A
    warm-up stays. At a `factor` of 1 nothing is changed, the schedule of the rate included.
    Helps when large batches are cheap: fewer steps for as many epochs.
    Hurts when the rows are so few that a batch soon holds them all and the noise cannot fall further.
    Costs memory for the largest batch; a step grows with it, a whole epoch gets no dearer.
    """

    treats: ClassVar = ("optimization", "speed")
    time_ratio: ClassVar = 0.8
    unasked: ClassVar = False
    off: ClassVar = {"factor": 1.0}
    factor: float = knob(5.0, 1.0, 100.0)
    every: float = knob(0.3, 0.05, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None or recipe.batch is None:
            return NotApplicable(f"{recipe.family} is not trained in batches with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        rate = Warmup(now["start"], now["warmup"], now["floor"]) if now["warmup"] else now["start"]
        size = Step(start(recipe.get("batch.size")), self.factor, self.every)
        return self.turned(recipe, {"optimizer.lr": rate, "batch.size": size})
