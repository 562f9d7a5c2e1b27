"""Bishop 1995, "Training with Noise is Equivalent to Tikhonov Regularization", Neural Computation 7(1)."""

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
class InputNoise(Augmentation, Technique):
    """Adds normal noise of spread `std` to the numbers of a table, which the preparation has brought to spread 1.

    Helps when rows are few and a number is only roughly what was measured.
    Hurts when small differences matter: codes and counts read as numbers, sharp thresholds, columns of few values.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"std": 0.0}
    std: Knob = knob(0.05, 0.0, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "tabular", "shakes the numbers of a table")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        std = value(self.std, progress)
        if std == 0:
            return None
        import torch

        return (std * torch.randn(shapes[0], generator=stream),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        numbers, *rest = inputs
        return (numbers + drawn[0], *rest)
