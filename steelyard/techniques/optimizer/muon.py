"""Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".

Steps scaled to those of AdamW as in Liu et al. 2025, "Muon is Scalable for LLM Training", section 2.2
(arXiv 2502.16982).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Muon(Technique):
    """Trains hidden matrices and kernels with Muon, which makes every step orthogonal, and the rest with AdamW.

    Without `on` the optimizer stays as it is. The rate is that of AdamW, a fiftieth of that of SGD. Needs torch 2.9.
    Helps when hidden matrices are large and the budget is counted in steps: it wants fewer of them.
    Hurts when the network overfits already, which it does sooner, or steps are cheap and their number is not scarce.
    Costs half again as much time in small convolutional networks, two to three times as much in small networks for
    tables, less where batches are large.
    """

    treats: ClassVar = ("optimization", "bias")
    time_ratio: ClassVar = 2.0
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange(self, recipe, "muon")
