"""Keskar & Socher 2017, "Improving Generalization Performance by Switching from Adam to SGD", section 2.

arXiv 1712.07628: the fixed switch that the paper starts from, at a share of training.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import STEPWISE, bounded, exchanged, is_sgd, usual
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class AdamToSgd(Technique):
    """Trains with AdamW until the share `at` of training, then with SGD at `factor` times the rate.

    Left open, `factor` is 50, or less where the rate of SGD would pass 0.1. From SGD, Adam's rate is a fiftieth of the
    recipe's, and SGD goes on with the recipe's.
    Helps when Adam gains fast at first and SGD predicts better in the end: convolutional networks, long runs.
    Hurts when the run is too short for two phases, or SGD does badly from the start, as with embeddings.
    Costs nothing against Adam.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"at": 1.0}
    at: float = knob(0.5, 0.0, 1.0)
    factor: float | None = knob(None, 0.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} {STEPWISE}")
        if self.is_off and recipe.optimizer.kind != "adam-w":
            return recipe
        after = exchanged(recipe, "adam-to-sgd", at=self.at)
        factor = self._usual(recipe, after) if self.factor is None else self.factor
        return self.unless_same(recipe, after.set("optimizer.factor", factor))

    def _usual(self, before: Recipe, after: Recipe) -> float:
        """What leads back to the rate of a recipe with SGD, else on to a usual one."""
        ratio = usual("sgd", "lr") / usual("adam-w", "lr")
        known = before.optimizer is not None and is_sgd(before.optimizer.kind)
        return float(f"{ratio if known else bounded(after.get('optimizer.lr'), ratio):.6g}")
