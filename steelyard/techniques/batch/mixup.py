"""Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", equation 1 (arXiv 1710.09412).

Partners come from the same batch, shuffled (section 2.1); every pair draws its own share, as the equation has it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.batch._pairs import beta, blended
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Mixup(Augmentation, Technique):
    """Learns from blends of two examples and of their targets, with a share drawn from Beta(α, α).

    What is blended is what the network makes of its inputs first: pixels, numbers with the vectors of categories, the
    vectors of tokens, the points of series; and with them, in texts and series, the marks of what is padding, which
    then count in part.

    Helps when the network overfits, labels are noisy or it is over-confident; trained for longer, it gains more.
    Hurts when it underfits or trains for few epochs, when half-way between two inputs means nothing, and in some
    regressions, where targets of far apart examples should not be blended.
    Costs about a tenth more time a step, and a training loss that no longer compares with the plain one.
    """

    treats: ClassVar = ("variance",)
    alone: ClassVar = False
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"alpha": 0.0}
    alpha: Knob = knob(0.2, 0.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained on batches with soft targets")
        if not recipe.network.blends(problem.modality):
            return NotApplicable(f"what {recipe.family} is fed cannot be averaged")
        return self.unless_same(recipe, recipe.with_part("augment", self))

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Shares (n,) and partners (n,)."""
        alpha, rows = value(self.alpha, progress), shapes[0][0]
        if alpha == 0:
            return None
        import torch

        return beta(alpha, rows, stream), torch.randperm(rows, generator=stream)

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        shares, partner = drawn
        mixed = features[partner].lerp(features, shares.view(-1, *[1] * (features.ndim - 1)))
        return mixed, *blended(targets, weights, shares, partner)
