"""Yun et al. 2019, "CutMix", equations 1 and 2 (arXiv 1905.04899), on the columns of tables.

So do Somepalli et al. 2021, "SAINT: Improved Neural Networks for Tabular Data", section 4 (arXiv 2106.01342).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.batch._pairs import beta, blended
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ColumnCutMix(Augmentation, Technique):
    """Gives every row some columns of another one, and that share of its target; the share is drawn from Beta(α, α).

    Helps when rows are few and many columns say a little each.
    Hurts when columns only mean something together (a date in parts, a value and the mark that it is missing), when one
    column decides, and in some regressions.
    Costs about a tenth more time a step, and a training loss that no longer compares with the plain one.
    """

    treats: ClassVar = ("variance",)
    alone: ClassVar = False
    time_ratio: ClassVar = 1.15
    off: ClassVar = {"alpha": 0.0}
    alpha: Knob = knob(1.0, 0.0, 100.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "tabular", "exchanges columns of a table")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """For every input the columns (n, columns) that are taken, shares of own columns (n,), partners (n,)."""
        alpha, rows = value(self.alpha, progress), shapes[0][0]
        if alpha == 0:
            return None
        import torch

        own = beta(alpha, rows, stream).unsqueeze(1)
        columns = [shape[1] for shape in shapes]
        taken = torch.rand((rows, sum(columns)), generator=stream) >= own
        shares = 1 - taken.to(own.dtype).mean(1)
        return (*torch.split(taken, columns, 1), shares, torch.randperm(rows, generator=stream))

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        *taken, _, partner = drawn
        return tuple(torch.where(some, values[partner], values) for values, some in zip(inputs, taken, strict=True))

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        *_, shares, partner = drawn
        return features, *blended(targets, weights, shares, partner)
