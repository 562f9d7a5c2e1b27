"""Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features".

Section 3.1, equations 1 and 2 (arXiv 1905.04899). Every pair draws its own rectangle, which is cut off at the border;
targets are mixed by the area that is really exchanged, as in the authors' code.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

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
class Cutmix(Augmentation, Technique):
    """Pastes a rectangle of another image into an image, with targets by area; the area is drawn from Beta(α, α).

    A pair is changed with `probability`.
    Helps when the network overfits or leans on one telling part; trained for longer, it gains more.
    Hurts when it underfits or trains for few epochs, and when a part of an image does not show its class: fine
    differences, small things, counts.
    Costs a few per cent of time a step, and a training loss that no longer compares with the plain one.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"probability": 0.0}
    alone: ClassVar = False
    probability: Knob = knob(0.5, 0.0, 1.0)
    alpha: Knob = knob(1.0, 0.01, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "cuts rectangles out of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Begins and sides of the rectangles (n, 2) as shares of height and width, and partners (n,)."""
        probability, alpha, rows = value(self.probability, progress), value(self.alpha, progress), shapes[0][0]
        if probability == 0:
            return None
        import torch

        seed = int(torch.randint(2**62, (1,), generator=stream))
        shares = torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, rows)).to(torch.get_default_dtype())
        changed = torch.rand(rows, generator=stream) < probability
        sides = ((1 - shares).sqrt() * changed).unsqueeze(1).repeat(1, 2)
        begins = torch.rand(rows, 2, generator=stream) - sides / 2
        return begins, sides, torch.randperm(rows, generator=stream)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        from steelyard.techniques.pixels import pasted, rectangles

        begins, sides, partner = drawn
        inside = rectangles(begins, sides, *features.shape[-2:])
        mixed = pasted(features, features[partner], inside)
        ours = 1 - inside.to(targets.dtype).mean((1, 2))
        blended = weights[partner].lerp(weights, ours)
        # shares of the weights, so that the loss is that of the two weighted examples
        ours = (ours * weights / blended).unsqueeze(1)
        return mixed, targets[partner].lerp(targets, ours), blended
