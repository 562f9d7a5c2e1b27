"""Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2 (arXiv 1711.05101).

For classical models the L2 penalty of Hoerl & Kennard 1970, "Ridge Regression", Technometrics 12(1).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from steelyard.knobs import Knob, Schedule, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import usual
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class WeightDecay(Technique):
    """Adds `decay` to the pull of the weights towards zero; left open, a usual amount for the model at hand.

    In networks it is `optimizer.weight_decay`, apart from the gradient (norms and biases stay free), in linear models
    and boosting `l2`, there ten times what it was.
    Helps when the model overfits or its weights grow throughout training.
    Hurts when it underfits already.
    Costs nothing.
    """

    treats: ClassVar = ("variance",)
    off: ClassVar = {"decay": 0.0}
    decay: Knob | None = knob(None, 0.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        path = "optimizer.weight_decay" if recipe.network else "estimator.l2"
        if path not in recipe.knobs():
            return NotApplicable(f"{recipe.family} has no weights with a penalty")
        now = recipe.get(path)
        added = self._usual(recipe, now) if self.decay is None else self.decay
        either = added if isinstance(added, Schedule) or isinstance(now, Schedule) else now + added
        return self.turned(recipe, {path: either})

    def _usual(self, recipe: Recipe, now: Any) -> float:
        if recipe.optimizer is not None:
            return usual(recipe.optimizer.kind, "weight_decay")
        return float(9 * now) if now else 10.0
