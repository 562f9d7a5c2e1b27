"""Yoon et al. 2020, "VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain", section 4.1.

Known before as swap noise (Jahrer 2017, first place in the Porto Seguro competition on Kaggle). There a value is drawn
from its column; here rows of a batch exchange theirs, so that every column keeps exactly the values it has.
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
class SwapNoise(Augmentation, Technique):
    """Swaps each value of a table, with probability `rate`, for that of another row of the batch in the same column.

    Helps when rows are few and columns repeat each other: a wrong value in one must not decide alone.
    Hurts when one column decides, when columns only mean something together, or when the network underfits.
    Costs up to a fifth more time a step of a small network, for sorting.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.2
    alone: ClassVar = False
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "tabular", "swaps values of a table")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """For every input, the row (n, columns) whose value each one takes: those that are chosen change places."""
        rate = value(self.rate, progress)
        if rate == 0:
            return None
        return tuple(_places(shape, rate, stream) for shape in shapes)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        return tuple(values.gather(0, rows) for values, rows in zip(inputs, drawn, strict=True))


def _places(shape: "torch.Size", rate: float, stream: "torch.Generator") -> "Tensor":
    """The rows (n, columns) that values come from: in each column the chosen ones are shifted in a random circle."""
    import torch

    chosen = torch.rand(shape, generator=stream) < rate
    # the chosen ones of a column in random order, then the others: each chosen one takes the place of the next
    order = (torch.rand(shape, generator=stream) + ~chosen).argsort(0)
    count = chosen.sum(0, keepdim=True)
    number = torch.arange(shape[0]).unsqueeze(1).expand(shape)
    next_ = torch.where(number < count, (number + 1) % count.clamp(min=1), number)
    return torch.empty(shape, dtype=torch.int64).scatter_(0, order, order.gather(0, next_))
