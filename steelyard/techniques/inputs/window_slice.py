"""Le Guennec et al. 2016, "Data Augmentation for Time Series Classification using Convolutional Neural Networks".

Window slicing, section 3 (workshop on advanced analytics and learning on temporal data at ECML/PKDD). There the windows
are classified one by one, here each is stretched back to the whole length.
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
class WindowSlice(Augmentation, Technique):
    """Shows a random stretch of every series, `share` of its length, stretched back to the whole length.

    Helps when what tells the class happens anywhere, at any pace, and series are few.
    Hurts when the beginning or the end decides, or when the time from one event to the next is what is asked for.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"share": 1.0}
    share: Knob = knob(0.9, 0.1, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "slices a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where the stretch begins and how long it is, as shares (n, 1) of the whole."""
        share = value(self.share, progress)
        if share == 1:
            return None
        import torch

        begin = (1 - share) * torch.rand((shapes[0][0], 1), generator=stream)
        return begin, torch.full_like(begin, share)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        ((series,), (begin, share)) = inputs, drawn
        return (read_at(series, begin + share * along(series)),)
