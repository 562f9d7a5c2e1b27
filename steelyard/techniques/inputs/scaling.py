"""Um et al. 2017, "Data Augmentation of Wearable Sensor Data for Parkinson's Disease Monitoring using CNNs", section 3.

Scaling (arXiv 1706.00527).
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
class Scaling(Augmentation, Technique):
    """Multiplies every channel of a series by a factor drawn around 1 with spread `std`, the same at all times.

    Helps when the size of a signal depends on the sensor or the person and the shape tells the class.
    Hurts when the height itself is what is asked for.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"std": 0.0}
    std: Knob = knob(0.1, 0.0, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "scales the channels of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        std = value(self.std, progress)
        if std == 0:
            return None
        import torch

        return (1 + std * torch.randn((*shapes[0][:2], 1), generator=stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        return (inputs[0] * drawn[0],)
