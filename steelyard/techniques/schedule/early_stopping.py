"""Prechelt 1998, "Early Stopping – But When?", section 2, in "Neural Networks: Tricks of the Trade" (LNCS 1524)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class EarlyStopping(Technique):
    """Ends training when `rule` says so, by the loss on held rows, and brings back the weights that were best on them.

    The rule is GL(alpha), PQ(alpha) or UP(s) of the paper, or patience(epochs); UP and PQ look after every fifth epoch
    (`k`). `held` is the share of train rows that it looks at; 0 is no rule.
    Helps when the network is at its best long before the last epoch: dev loss rises while train loss goes on falling.
    Hurts when the number of epochs is right already, above all with a learning rate that falls to zero: nothing is
    saved and the held rows are missed, the more the fewer rows there are.
    Costs the held rows and a look at them after each epoch; saves the epochs after the stop.
    """

    treats: ClassVar = ("variance",)
    off: ClassVar = {"held": 0.0}
    rule: str = "UP(3)"
    held: float = knob(0.15, 0.0, 0.5)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "stopping.rule" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} is not trained in epochs that a rule could end")
        if not self.held:
            return self.turned(recipe, {"stopping.rule": None})
        return self.turned(recipe, {"stopping.rule": self.rule, "stopping.held": self.held})
