"""Um et al. 2017, "Data Augmentation of Wearable Sensor Data for Parkinson's Disease Monitoring using CNNs", section 3.

Time warping; there the speed follows a cubic spline, here it changes between equal stretches (arXiv 1706.00527).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs._series import along, read_at
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class TimeWarp(Augmentation, Technique):
    """Lets time run faster and slower along every series; the log of the pace of its `pieces` has spread `strength`.

    Helps when the pace of what happens differs from case to case.
    Hurts when durations are what is asked for, or when the moment of an event decides.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"strength": 0.0}
    strength: Knob = knob(0.2, 0.0, 2.0)
    pieces: int = knob(4, 2, 64)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "warps the time of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """How far along the series each piece begins, and the last one ends (n, pieces + 1): from 0 up to 1."""
        strength = value(self.strength, progress)
        if strength == 0:
            return None
        import torch

        pace = (strength * torch.randn((shapes[0][0], self.pieces), generator=stream)).exp()
        ends = pace.cumsum(1) / pace.sum(1, keepdim=True)
        return (torch.cat([torch.zeros_like(ends[:, :1]), ends], 1),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        ((series,), (bounds,)) = inputs, drawn
        return (read_at(series, warped(along(series), bounds)),)


def warped(share: "Tensor", bounds: "Tensor") -> "Tensor":
    """Shares (n, time) of the way as bounds (n, pieces + 1) of equal pieces bend them: straight in each, never back."""
    pieces = bounds.shape[1] - 1
    place = share.clamp(0, 1) * pieces
    piece = place.floor().long().clamp(max=pieces - 1)
    begin, end = bounds.gather(1, piece), bounds.gather(1, piece + 1)
    return begin + (place - piece) * (end - begin)
