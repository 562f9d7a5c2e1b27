"""Müller & Hutter 2021, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", algorithm 1.

arXiv 2103.10158, with the fourteen operations and ranges of RandAugment (section 3).
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
class TrivialAugment(Augmentation, Technique):
    """Changes every image by one of the fourteen operations of `rand-augment`, with a strength from 0 to `most`.

    Helps when photographs are few for the size of the network; there is nothing to tune.
    Hurts when light, colour, direction or place tell the class, when images are tiny, or when training is short.
    Costs a tenth to a fifth more time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.15
    off: ClassVar = {"most": 0.0}
    most: Knob = knob(1.0, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "turns, moves and recolours images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """The number of an operation (n,) and how strong it is, with a sign (n,)."""
        most = value(self.most, progress)
        if most == 0:
            return None
        import torch

        from steelyard.techniques.operations import picked, signs

        (picks,) = picked(1, shapes[0][0], stream)
        return picks, most * torch.rand(len(picks), generator=stream) * signs(picks, stream)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.operations import operated

        return (operated(inputs[0], *drawn),)
