"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2 (arXiv 1512.03385).

There images are padded with black by an eighth of the side, then cropped. Here the border is filled by reflection, so
that every pixel comes from the image itself, unless `border` is "black".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

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
class ShiftedCrops(Augmentation, Technique):
    """Shifts every image by up to `shift` of its height and width, at random; what slides in is mirrored.

    Helps when things stand anywhere in the picture and images are few.
    Hurts when the position itself tells the class, or when training is so short that the network underfits.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"shift": 0.0}
    reshapes: ClassVar[bool] = True
    shift: Knob = knob(0.125, 0.0, 0.5)
    border: Literal["mirror", "black"] = "mirror"

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "shifts images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """How far down and right (n,) each image is cut from the surrounded one, and a tensor shaped as the border."""
        shift = value(self.shift, progress)
        if shift == 0:
            return None
        import torch

        images, _, *sides = shapes[0]
        most = [int(side * shift) for side in sides]
        down, right = (torch.randint(0, 2 * each + 1, (images,), generator=stream) for each in most)
        return down, right, torch.zeros(()).expand(most)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import surrounded, windows

        ((images,), (down, right, most)) = inputs, drawn
        around = surrounded(images, most.shape[0], most.shape[1], self.border == "mirror")
        return (windows(around, down, right, *images.shape[-2:]),)
