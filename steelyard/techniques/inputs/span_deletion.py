"""Shen et al. 2020, "A Simple but Tough-to-Beat Data Augmentation Approach for Natural Language Understanding".

Span cutoff, section 3 (arXiv 2009.13818). There the vectors of the span become 0, here it is cut out of the text.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs._tokens import PADDING, closed
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class SpanDeletion(Augmentation, Technique):
    """Cuts a run of neighbouring tokens out of every text: `share` of its tokens, at a random place; the rest moves up.

    Helps when texts are long and say the same more than once, so that each part of them should be enough.
    Hurts when a short phrase decides, when texts are a few words, or when the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"share": 0.0}
    share: Knob = knob(0.1, 0.0, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "text", "cuts runs of tokens out of a text")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where the run begins (n,) and how its length is rounded (n,), both in 0..1, and the share of the text."""
        share = value(self.share, progress)
        if share == 0:
            return None
        import torch

        return (*torch.rand((2, shapes[0][0], 1), generator=stream), torch.tensor(share))

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        ((tokens,), (place, rounding, share)) = inputs, drawn
        real = tokens != PADDING
        length = real.sum(1, keepdim=True)
        cut = (share * length + rounding).floor().minimum(length - 1).clamp(min=0)
        begin = (place * (length - cut + 1)).floor()
        here = torch.arange(tokens.shape[1], device=tokens.device)
        return (closed(tokens, real & ((here < begin) | (here >= begin + cut))),)
