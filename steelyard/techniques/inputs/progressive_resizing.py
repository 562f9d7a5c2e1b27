"""Howard 2018, "Training Imagenet in 3 hours for $25" (fast.ai, DAWNBench): small images first, full ones at the end.

Related: Karras et al. 2018, "Progressive Growing of GANs" (arXiv 1710.10196). That a network should see images of the
size it is tested at before it is done: Touvron et al. 2019, "Fixing the train-test resolution discrepancy", section 3
(arXiv 1906.06423).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, Piecewise, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STEP = 4  # pixels: sides are multiples of it, so that maps halve evenly and few sizes occur


@dataclass(frozen=True)
class ProgressiveResizing(Augmentation, Technique):
    """Shows images at `scale` of their sides: smaller ones first, full ones well before the end of training.

    Helps when training on images takes long and what tells the classes apart is still seen at half the size.
    Hurts when fine details tell the classes apart, images are tiny, or training is so short that the full size comes
    too late: a network that has seen only small images predicts large ones worse.
    Costs a little accuracy at most; a step on images of half the sides takes about a third of the time.
    """

    treats: ClassVar = ("speed",)
    time_ratio: ClassVar = 0.85
    unasked: ClassVar = False
    off: ClassVar = {"scale": 1.0}
    reshapes: ClassVar[bool] = True
    scale: Knob = knob(Piecewise((0.0, 0.7), (0.6, 1.0)), 0.1, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "shrinks images")

    def sides(self, height: int, width: int, progress: float) -> tuple[int, int]:
        """The height and width in pixels that images of that size are shown at."""
        scale = value(self.scale, progress)
        return _shrunk(height, scale), _shrunk(width, scale)

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """A tensor of the shape (height, width) that images are brought to: shapes cost no look at the device."""
        height, width = shapes[0][-2:]
        sides = self.sides(height, width, progress)
        if sides == (height, width):
            return None
        import torch

        return (torch.zeros(()).expand(sides),)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Encoded images, at last: what other parts draw for the inputs is drawn for their full size."""
        from torch.nn.functional import interpolate

        sides = drawn[0].shape
        smooth = features.shape[-1] > 2 * sides[-1]  # else every pixel counts anyway, and plain is thrice as quick
        return interpolate(features, size=sides, mode="bilinear", antialias=smooth), targets, weights


def _shrunk(side: int, scale: float) -> int:
    """That share of a side, as a multiple of 4 pixels unless it is the whole."""
    return side if scale == 1 else min(side, max(STEP, STEP * round(side * scale / STEP)))
