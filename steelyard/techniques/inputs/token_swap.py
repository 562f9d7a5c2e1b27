"""Wei & Zou 2019, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks".

Random swap, section 2 (arXiv 1901.11196). Here neighbours change places, so that words stay near where they were, as in
Lample et al. 2018, "Unsupervised Machine Translation Using Monolingual Corpora Only", section 2.3 (arXiv 1711.00043).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import augmented
from steelyard.techniques.inputs._tokens import PADDING
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class TokenSwap(Augmentation, Technique):
    """Lets neighbouring tokens of a text change places: each pair with probability `rate`.

    Helps when the order of words matters little but the network reads it closely (recurrent nets, convolutions).
    Hurts when order is what is learnt: commands, names, code. A bag of words does not see it at all.
    Costs a few per cent of time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"rate": 0.0}
    rate: Knob = knob(0.1, 0.0, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return augmented(self, recipe, problem, "text", "swaps tokens of a text")

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """Whether each token (n, length) shall change places with the next one (1) or the one before (-1); else 0."""
        rate = value(self.rate, progress)
        if rate == 0:
            return None
        import torch

        texts, length = shapes[0]
        odd = torch.randint(2, (texts, 1), generator=stream)  # pairs begin at even or at odd places
        pair = (torch.arange(length) + odd) // 2
        second = (torch.arange(length) + odd) % 2
        chosen = torch.rand((texts, length // 2 + 1), generator=stream) < rate
        return (torch.where(chosen.gather(1, pair), 1 - 2 * second, 0),)

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        import torch

        ((tokens,), (step,)) = inputs, drawn
        places = torch.arange(tokens.shape[1], device=tokens.device)
        other = tokens.gather(1, (places + step).clamp(0, tokens.shape[1] - 1))
        return (torch.where((tokens != PADDING) & (other != PADDING), other, tokens),)
