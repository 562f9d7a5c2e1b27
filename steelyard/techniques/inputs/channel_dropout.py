"""Saeed et al. 2021, "Learning from Heterogeneous EEG Signals with Differentiable Channel Reordering".

The paper is arXiv 2010.13694. Whole channels at once as in Tompson et al. 2015, "Efficient Object Localization Using
Convolutional Networks", section 3.2 (arXiv 1411.4280).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ChannelDropout(Augmentation, Technique):
    """Sets each channel of a series to its centre 0 with probability `rate`; at least one channel stays.

    Helps when there are many channels, some noisy or sometimes broken, and several tell the same.
    Hurts when one channel decides. A series of one channel is left as it is.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "silences channels of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        rate = value(self.rate, progress)
        if rate == 0:
            return None
        import torch

        luck = torch.rand((*shapes[0][:2], 1), generator=stream)
        return ((luck < rate) & (luck < luck.amax(1, keepdim=True)),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        (series,) = inputs
        return (series.masked_fill(drawn[0] & ~series.isnan(), 0.0),)
