"""Vincent et al. 2008, "Extracting and Composing Robust Features with Denoising Autoencoders", section 2.3 (ICML).

There the masked inputs train an autoencoder; here they train the network itself, as dropout of inputs does.
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
class FeatureMasking(Augmentation, Technique):
    """Hides each value of a table with probability `rate`: a number shows its centre, a category code 0 ("unknown").

    Helps when rows are few, columns repeat each other, or values will be missing when the model is used.
    Hurts when one column decides and nothing can stand in for it, or when the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "tabular", "hides values of a table")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        rate = value(self.rate, progress)
        if rate == 0:
            return None
        import torch

        return tuple(torch.rand(shape, generator=stream) < rate for shape in shapes)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        return tuple(values.masked_fill(hidden, 0) for values, hidden in zip(inputs, drawn, strict=True))
