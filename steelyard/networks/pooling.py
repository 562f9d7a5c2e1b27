"""Many steps to one vector: mean, maximum, last step or attention over time, where a mask says which steps count.

`x` is (n, time, width); `mask` (n, time) is 1 for a step, 0 for padding, or a share in between. What is padded never
changes the answer, and where nothing is left it is 0.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Pooling = Literal["mean", "max", "last", "attention"]
NEVER = -1e4  # a score from which a softmax in any number format gives 0


def lengths(mask: Tensor) -> Tensor:
    """The steps (n,) up to the last one that counts."""
    places = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return torch.where(mask > 0, places, 0).amax(dim=1)


def scores_of(mask: Tensor) -> Tensor:
    """What is added to scores before a softmax so that steps take part as the mask says: its logarithm."""
    return torch.where(mask > 0, mask.clamp_min(1e-4).log(), NEVER)


class MeanPooling(nn.Module):
    """The mean over the steps, weighted by the mask."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        share = mask / mask.sum(dim=1, keepdim=True).clamp_min(1e-6)
        return torch.bmm(share.unsqueeze(1).to(x.dtype), x).squeeze(1)


class MaxPooling(nn.Module):
    """The largest value of every feature over the steps (Collobert et al. 2011, section 3.3.2, "max over time")."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        steps = (mask > 0).unsqueeze(-1)
        largest = torch.where(steps, x, torch.finfo(x.dtype).min).amax(dim=1)
        return torch.where(steps.any(dim=1), largest, 0)


class LastPooling(nn.Module):
    """The last step that counts; the second half of the features, where they run backwards, from the first step."""

    def __init__(self, backwards: bool = False) -> None:
        super().__init__()
        self.backwards = backwards

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        steps = lengths(mask)
        at = (steps - 1).clamp_min(0).view(-1, 1, 1).expand(-1, 1, x.shape[2])
        last = x.gather(1, at).squeeze(1)
        if self.backwards:
            half = x.shape[2] // 2
            last = torch.cat([last[:, :half], x[:, 0, half:]], dim=1)
        return torch.where((steps > 0).unsqueeze(-1), last, 0)


class AttentionPooling(nn.Module):
    """A mean whose weights are learnt: softmax over the steps of v · tanh(W x + b); it starts as the plain mean.

    Steps (n, time, width) become (n, width); without a mask (n, time) all of them count.
    Source: Yang et al. 2016, "Hierarchical Attention Networks for Document Classification", equations 5 to 7.

    >>> steps, mask = torch.randn(8, 20, 16), torch.ones(8, 20)
    >>> AttentionPooling(16)(steps, mask).shape
    torch.Size([8, 16])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.score.weight)  # it starts as the mean

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        mask = x.new_ones(x.shape[:2]) if mask is None else mask
        shares = F.softmax(self.score(torch.tanh(self.hidden(x))).squeeze(-1) + scores_of(mask), dim=1)
        pooled = torch.bmm(shares.unsqueeze(1).to(x.dtype), x).squeeze(1)
        return torch.where((mask > 0).any(dim=1, keepdim=True), pooled, 0)


def pooling(kind: Pooling, width: int, backwards: bool = False) -> nn.Module:
    """The layer of that name for steps of so many features."""
    if kind == "attention":
        return AttentionPooling(width)
    return {"mean": MeanPooling(), "max": MaxPooling(), "last": LastPooling(backwards)}[kind]
