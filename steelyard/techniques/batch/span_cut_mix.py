"""Yun et al. 2019, "CutMix", equations 1 and 2 (arXiv 1905.04899), on runs of tokens.

Runs of tokens are exchanged in Yoon et al. 2021, "SSMix: Saliency-Based Span Mixup for Text Classification", section 3
(arXiv 2106.08062); there the most important ones, here random ones.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.batch._pairs import beta, blended
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class SpanCutMix(Augmentation, Technique):
    """Gives every text a run of tokens of another one, at the same place, and that share of its target.

    The share to exchange is drawn from Beta(α, α). A run lies where both texts have tokens, so that a text keeps its
    length; what counts for the target is how many of its tokens were exchanged in the end. It is done to the vectors
    of tokens, whose last value is 1 for a token and 0 for padding.

    Helps when texts are few and long enough that a part of one still tells its class.
    Hurts when a short phrase decides, and in some regressions.
    Costs about a tenth more time a step, and a training loss that no longer compares with the plain one.
    """

    treats: ClassVar = ("variance",)
    alone: ClassVar = False
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"alpha": 0.0}
    alpha: Knob = knob(1.0, 0.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "text", "exchanges runs of tokens of texts")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Shares of a text to keep (n, 1), where runs begin and how their lengths are rounded (n, 1), partners (n,)."""
        alpha, rows = value(self.alpha, progress), shapes[0][0]
        if alpha == 0:
            return None
        import torch

        place, rounding = torch.rand((2, rows, 1), generator=stream)
        return beta(alpha, rows, stream).unsqueeze(1), place, rounding, torch.randperm(rows, generator=stream)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        import torch

        own, place, rounding, partner = drawn
        length = features[..., -1].detach().sum(1, keepdim=True)  # in tokens (n, 1)
        shared = length.minimum(length[partner])
        cut = ((1 - own) * length + rounding).floor().minimum(shared)
        begin = (place * (shared - cut + 1)).floor()
        here = torch.arange(features.shape[1], device=features.device)
        taken = ((here >= begin) & (here < begin + cut)).unsqueeze(2)
        shares = (1 - cut / length.clamp(min=1)).squeeze(1)
        return torch.where(taken, features[partner], features), *blended(targets, weights, shares, partner)
