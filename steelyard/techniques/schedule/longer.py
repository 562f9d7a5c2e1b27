"""Hoffer et al. 2017, "Train longer, generalize better", section 5 (arXiv 1705.08741).

For boosting: Friedman 2001, "Greedy Function Approximation", Annals of Statistics 29(5), section 5 (shrinkage).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Longer(Technique):
    """Trains `factor` times as many epochs, with the schedules stretched to them.

    Boosting takes `factor` times as many steps, each as much smaller, and is as much more patient.
    Helps when training loss is still falling at the end, or when augmentation keeps the data fresh.
    Hurts when the network overfits more with every epoch.
    Costs `factor` times the training time.
    """

    treats: ClassVar = ("bias", "optimization")
    time_ratio: ClassVar = 2.0
    off: ClassVar = {"factor": 1.0}
    factor: float = knob(2.0, 1.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        known = recipe.knobs()
        if "stopping.epochs" in known:
            knobs = {"stopping.epochs": round(known["stopping.epochs"] * self.factor)}
            if known["stopping.seconds"] is not None:
                knobs["stopping.seconds"] = known["stopping.seconds"] * self.factor
            return self.turned(recipe, knobs)
        if "estimator.iterations" in known:
            knobs = {f"estimator.{name}": round(known[f"estimator.{name}"] * self.factor) for name in ROUNDS}
            return self.turned(
                recipe, knobs | {"estimator.learning_rate": known["estimator.learning_rate"] / self.factor}
            )
        return NotApplicable(f"{recipe.family} is not trained in rounds that could be more")


ROUNDS = ("iterations", "patience")
