"""Nair & Hinton 2010 (ReLU); Clevert et al. 2016 (ELU, arXiv 1511.07289); Hendrycks & Gimpel 2016 (GELU, SiLU,
arXiv 1606.08415); Klambauer et al. 2017 (SELU, arXiv 1706.02515); Misra 2019 (Mish, arXiv 1908.08681).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.errors import UserError
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

WORDS = ("auto", "same", "selu", "mish", "relu", "gelu", "silu", "elu", "leaky-relu", "hardswish", "tanh", "sigmoid")


@dataclass(frozen=True)
class Activation(Technique):
    """Replaces the activation of all hidden layers by `to`; first weights are drawn to match it.

    Left at `auto` it is SELU for classes and Mish for numbers in tables (Holzmüller et al. 2024, arXiv 2407.04491),
    SiLU in images; `same` keeps what the recipe has.
    Helps when units die (ReLU) or saturate (tanh, sigmoid), or when a smooth answer wants a smooth activation.
    Hurts when a deep network without norms gets a saturating one: its gradients vanish.
    Costs a few hundredths more time a step; Mish a third more in tables and three quarters in images.
    """

    treats: ClassVar = ("bias", "optimization")
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"to": "same"}
    choices: ClassVar = WORDS
    to: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to not in self.choices:
            raise UserError(f"{self.name()}.to must lie in {', '.join(self.choices)}, got '{self.to}'")

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        now = recipe.knobs().get("network.activation")
        if now is None:
            return NotApplicable(f"{recipe.family} has no activations")
        word = {"same": now, "auto": self._usual(recipe, problem)}.get(self.to, self.to)
        return self.turned(recipe, {"network.activation": word})

    def _usual(self, recipe: Recipe, problem: Problem) -> str:
        if recipe.family != "tabular-mlp":
            return "silu"
        return "mish" if problem.task in {"regression", "multioutput"} else "selu"
