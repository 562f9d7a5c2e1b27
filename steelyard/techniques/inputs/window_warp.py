"""Le Guennec et al. 2016, "Data Augmentation for Time Series Classification using Convolutional Neural Networks".

Window warping, section 3 (workshop on advanced analytics and learning on temporal data at ECML/PKDD).
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
class WindowWarp(Augmentation, Technique):
    """Plays a random stretch of every series, `share` of its length, at double or half speed; the length stays.

    Helps when the pace of what happens differs from case to case.
    Hurts when durations are what is asked for.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"share": 0.0}
    share: Knob = knob(0.1, 0.0, 0.9)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "warps the time of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where the stretch begins, how long it is, and how long it is played, as shares (n, 1) of the whole."""
        share = value(self.share, progress)
        if share == 0:
            return None
        import torch

        chance, begin = torch.rand((2, shapes[0][0], 1), generator=stream)
        slow = torch.where(chance < 0.5, 0.5, 2.0)
        return (1 - share) * begin, torch.full_like(begin, share), share * slow

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        ((series,), (begin, share, played)) = inputs, drawn
        time = along(series) * (1 - share + played)
        inside = begin + (time - begin) * share / played
        after = time - played + share
        return (read_at(series, torch.where(time < begin, time, torch.where(time < begin + played, inside, after))),)
