"""Park et al. 2019, "SpecAugment", section 2 (arXiv 1904.08779), on the frequencies of the whole series.

So do Chen et al. 2023, "FrAug: Frequency Domain Augmentation for Time Series Forecasting", section 3 (arXiv
2302.09292).
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
class FrequencyMasking(Augmentation, Technique):
    """Takes one band of frequencies out of every series, `share` of all of them, at a random place; the mean stays.

    Helps when a class shows in several rhythms and none should decide alone.
    Hurts when one rhythm or one sharp edge decides.
    Costs about a tenth more time a step, for the Fourier transforms. Missing points and padding count as 0 in them.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.1
    off: ClassVar = {"share": 0.0}
    share: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "series", "takes frequencies out of a series")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Which frequencies (n, 1, time // 2 + 1) are taken out."""
        share = value(self.share, progress)
        if share == 0:
            return None
        import torch

        examples, _, time = shapes[0]
        waves = time // 2  # besides the mean
        width = min(max(1, round(share * waves)), waves)
        begin = torch.randint(1, waves - width + 2, (examples, 1, 1), generator=stream)
        number = torch.arange(waves + 1)
        return ((number >= begin) & (number < begin + width),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        ((series,), (taken,)) = inputs, drawn
        waves = torch.fft.rfft(series.nan_to_num(0.0)) * ~taken
        return (torch.fft.irfft(waves, n=series.shape[2]).masked_fill(series.isnan(), torch.nan),)
