"""Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", appendix A.

arXiv 2002.05709.
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
class Blur(Augmentation, Technique):
    """Blurs every image by Gauss's bell with a spread of up to `sigma` pixels.

    Helps when images are out of focus, in motion or compressed now and then, or come from different cameras.
    Hurts when texture and fine lines tell the class, and where images are tiny already.
    Costs about a tenth more time a step.
    """

    treats: ClassVar = ("variance", "mismatch")
    time_ratio: ClassVar = 1.1
    unasked: ClassVar = False
    reshapes: ClassVar[bool] = True
    off: ClassVar = {"sigma": 0.0}
    sigma: Knob = knob(1.0, 0.0, 10.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "image", "blurs images")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """A kernel for each image (n, 2 r + 1)."""
        sigma = value(self.sigma, progress)
        if sigma == 0:
            return None
        import torch

        from steelyard.techniques.pixels import bell, reach_of

        return (bell(sigma * torch.rand(shapes[0][0], generator=stream), reach_of(sigma)),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        from steelyard.techniques.pixels import like, smoothed

        ((images,), (kernels,)) = inputs, drawn
        return (like(smoothed(images.to(kernels.dtype), kernels), images),)
