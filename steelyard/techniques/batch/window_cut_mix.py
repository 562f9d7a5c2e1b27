"""Yun et al. 2019, "CutMix", equations 1 and 2 (arXiv 1905.04899), on windows of time.

Compared with mixup in Guo et al. 2023, "Empirical Study of Mix-based Data Augmentation Methods in Physiological Time
Series Data" (arXiv 2309.09970).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.batch._pairs import beta, blended
from steelyard.techniques.inputs._series import lengths
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class WindowCutMix(Augmentation, Technique):
    """Gives every series a window of another one, and that share of its target; the share is drawn from Beta(α, α).

    Of a series of another length the window lies as far along and is stretched to fit.

    Helps when series are few and what tells the class shows in more than one place.
    Hurts when one moment or the whole course decides, where cut edges look like events, and in some regressions.
    Costs about a tenth more time a step, and a training loss that no longer compares with the plain one.
    """

    treats: ClassVar = ("variance",)
    alone: ClassVar = False
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"alpha": 0.0}
    alpha: Knob = knob(1.0, 0.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "exchanges windows of series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where windows begin and end (n, 2), in shares of the length; the shares kept (n,) and partners (n,)."""
        alpha, (rows, _, time) = value(self.alpha, progress), shapes[0]
        if alpha == 0:
            return None
        import torch

        cut = ((1 - beta(alpha, rows, stream)) * time).round()
        begin = (torch.rand(rows, generator=stream) * (time - cut + 1)).floor()
        bounds = torch.stack([begin, begin + cut], 1) / time
        return bounds, 1 - cut / time, torch.randperm(rows, generator=stream)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        ((series,), (bounds, _, partner)) = inputs, drawn
        length = lengths(series).unsqueeze(1)
        middle = torch.arange(series.shape[2], device=series.device) + 0.5
        share = middle / length.clamp(min=1)
        taken = (share >= bounds[:, :1]) & (share < bounds[:, 1:])
        place = (share * length[partner]).floor().long().clamp(max=series.shape[2] - 1)
        theirs = series[partner].gather(2, place.unsqueeze(1).expand(series.shape))
        return (torch.where(taken.unsqueeze(1), theirs, series),)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        _, shares, partner = drawn
        return features, *blended(targets, weights, shares, partner)
