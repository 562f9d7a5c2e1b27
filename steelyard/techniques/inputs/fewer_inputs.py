"""Guyon & Elisseeff 2003, "An Introduction to Variable and Feature Selection", JMLR 3, section 2 (variable ranking)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class FewerInputs(Technique):
    """Leaves out columns of a table: only the share `keep` that tells most about the target on its own is learnt from.

    What they tell is measured on the train rows of every training. To leave out columns by name set `prepare.drop`, as
    `steelyard weigh prepare.drop=COLUMN`; `steelyard probe` says which.
    Helps when rows are few and many columns are noise, which a model can memorise.
    Hurts when columns matter only together, or each adds a little.
    Costs nothing: the model gets smaller and faster.
    """

    treats: ClassVar = ("variance", "speed")
    time_ratio: ClassVar = 0.9
    unasked: ClassVar = False
    off: ClassVar = {"keep": 1.0}
    keep: float = knob(0.5, 0.01, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "prepare.keep" not in recipe.knobs():
            return NotApplicable("it leaves out columns of a table, and there are none")
        return self.turned(recipe, {"prepare.keep": self.keep})
