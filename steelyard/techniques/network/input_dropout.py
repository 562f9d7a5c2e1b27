"""Srivastava et al. 2014, "Dropout", JMLR 15, section 4 and appendix A.4 (rates for input layers).

For inputs it is the masking noise of Vincent et al. 2008, "Extracting and Composing Robust Features", section 2.3.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class InputDropout(Technique):
    """Zeroes every encoded input of a table with probability p in training, before the first layer.

    Helps when many columns say much the same and the model hangs on a few of them, or when some may be missing later.
    Hurts when one or a few columns decide: cheat sheets advise against dropout right after the input layer, because
    what is zeroed there is lost to every later layer. Keep p far below the usual rates of hidden layers.
    Costs a few hundredths more time a step, and often needs more epochs.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"p": 0.0}
    p: Knob = knob(0.1, 0.0, 0.95)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "network.input_dropout" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} has no encoded columns to drop")
        return self.turned(recipe, {"network.input_dropout": self.p})
