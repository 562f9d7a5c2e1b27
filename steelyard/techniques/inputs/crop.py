"""Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 4.1.

There the network is tested on patches, too; one that averages over its last map can be shown the whole image. That it
then sees things larger than they were in training: Touvron et al. 2019, section 3 (arXiv 1906.06423).
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
class Crop(Augmentation, Technique):
    """Learns from a window of every image, `share` of both sides, at random; predicts whole images.

    Helps when things stand anywhere and fill only a part of the image; a step on smaller images takes less time.
    Hurts when the window misses what tells the class, and where the network's maps are small: whole images look
    different to it from windows.
    Costs nothing: training is quicker by about the area that is cut away.
    """

    treats: ClassVar = ("variance", "speed")
    time_ratio: ClassVar = 0.85
    unasked: ClassVar = False
    off: ClassVar = {"share": 1.0}
    reshapes: ClassVar[bool] = True
    share: Knob = knob(0.875, 0.1, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "cuts windows out of images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Where windows are (n, 2), 0 at one end and 1 at the other, and a tensor of the shape of a window."""
        share = value(self.share, progress)
        if share == 1:
            return None
        import torch

        images, _, *sides = shapes[0]
        window = [max(1, round(side * share)) for side in sides]
        return torch.rand(images, 2, generator=stream), torch.zeros(()).expand(window)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Encoded images: what other parts draw for the inputs is drawn for their full size."""
        from steelyard.techniques.pixels import windows_at

        places, window = drawn
        return windows_at(features, places, window.shape), targets, weights
