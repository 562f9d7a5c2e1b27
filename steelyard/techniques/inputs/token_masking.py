"""Xie et al. 2017, "Data Noising as Smoothing in Neural Network Language Models", section 3.2 (arXiv 1703.02573).

Blank noise there; Devlin et al. 2019, "BERT", section 3.1 (arXiv 1810.04805), corrupt what they learn from like that.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs._tokens import MASK, PADDING, lucky
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class TokenMasking(Augmentation, Technique):
    """Replaces each token of a text by the mask (id 2) with probability `rate`; at least one token stays.

    Helps when texts are few and several words point to the class; unlike removal it keeps the places of the others.
    Hurts when one word turns the meaning ("not"), when texts are very short, or when the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "text", "masks tokens of a text")

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
        hidden = (tokens != PADDING) & ~lucky(tokens, drawn[0])
        return (tokens.masked_fill(hidden, MASK),)
