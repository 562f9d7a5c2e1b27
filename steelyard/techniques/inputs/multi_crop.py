"""Hoffer et al. 2020, "Augment your batch: better training with larger batches", section 3 (arXiv 1901.09335).

Several smaller crops of an image in one batch: Caron et al. 2020, section 3.2 (arXiv 2006.09882).
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
class MultiCrop(Augmentation, Technique):
    """Learns in every step from several `crops` of each image, windows of `share` of both sides; predicts whole images.

    The gradient is that of the mean over all crops, so that each counts for a part of its image.
    Helps when images are few and things stand anywhere: gradients of several crops at once are less noisy.
    Hurts when the window misses what tells the class, or when time is better spent on more epochs.
    Costs time by the number of crops times their area; no more memory for the data.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.3
    unasked: ClassVar = False
    off: ClassVar = {"crops": 1}
    reshapes: ClassVar[bool] = True
    alone: ClassVar = False
    crops: int = knob(2, 1, 32)
    share: Knob = knob(0.75, 0.1, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "cuts windows out of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where windows are (n, crops, 2), 0 at one end and 1 at the other, and a tensor of the shape of a window."""
        if self.crops == 1:
            return None
        import torch

        images, _, *sides = shapes[0]
        window = [max(1, round(side * value(self.share, progress))) for side in sides]
        return torch.rand(images, self.crops, 2, generator=stream), torch.zeros(()).expand(window)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """The crops of an image stand side by side: (n × crops, …)."""
        from steelyard.techniques.pixels import windows_at

        places, window = drawn
        features, targets, weights = (each.repeat_interleave(self.crops, 0) for each in (features, targets, weights))
        return windows_at(features, places.reshape(-1, 2), window.shape), targets, weights
