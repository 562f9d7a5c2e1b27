"""Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", section 3.3 (ACL).

Random deletion in Wei & Zou 2019, "EDA", section 2 (arXiv 1901.11196).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs._tokens import closed, lucky
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class TokenDropout(Augmentation, Technique):
    """Removes each token of a text with probability `rate`; the rest moves up, and at least one token stays.

    Helps when texts are few and several words point to the class.
    Hurts when one word turns the meaning ("not"), when texts are very short, or when the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "text", "removes tokens of a text")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        rate = value(self.rate, progress)
        if rate == 0:
            return None
        import torch

        return (torch.rand(shapes[0], generator=stream) - rate,)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        (tokens,) = inputs
        return (closed(tokens, lucky(tokens, drawn[0])),)
