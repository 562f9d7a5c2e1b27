"""Um et al. 2017, "Data Augmentation of Wearable Sensor Data for Parkinson's Disease Monitoring using CNNs", section 3.

Jittering (arXiv 1706.00527).
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
class Jitter(Augmentation, Technique):
    """Adds normal noise of spread `std` to every point of a series, whose channels have been brought to spread 1.

    Helps when series are few and sensors are noisy.
    Hurts when small wiggles tell the classes apart.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"std": 0.0}
    std: Knob = knob(0.05, 0.0, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "shakes the points of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        std = value(self.std, progress)
        if std == 0:
            return None
        import torch

        return (std * torch.randn(shapes[0], generator=stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        return (inputs[0] + drawn[0],)  # what is missing stays missing
