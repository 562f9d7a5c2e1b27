"""Pooling over time: one vector (n, width) from states (n, time, width); steps behind an end do not count."""

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["mean", "last", "attention"]


class MeanPooling(nn.Module):
    """The mean over the steps that are there. Source: Lin et al. 2014, section 3.2 (arXiv 1312.4400)."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(n, width) of states (n, time, width) and a mask (n, time), 1 where a step counts."""
        weight = mask.to(torch.float32).unsqueeze(-1)
        total = (states * weight).sum(1, dtype=torch.float32)
        return total / weight.sum(1).clamp(min=1.0)


class LastPooling(nn.Module):
    """The state at the last step that is there."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(n, width) of states (n, time, width) and a mask (n, time), 1 where a step counts."""
        steps = torch.arange(mask.shape[1], device=mask.device)
        last = (steps * (mask > 0)).amax(1)
        return states.gather(1, last[:, None, None].expand(-1, 1, states.shape[2])).squeeze(1)


class AttentionPooling(nn.Module):
    """A mean whose weights are learnt: softmax over time of v · tanh(W h). It starts as the plain mean.

    Source: Yang et al. 2016, "Hierarchical attention networks", section 2.2; Ilse et al. 2018 (arXiv 1802.04712).
    """

    def __init__(self, width: int, hidden: int = 32) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(n, width) of states (n, time, width) and a mask (n, time), 1 where a step counts."""
        scores = self.score(torch.tanh(self.hidden(states))).squeeze(-1).float()
        none = (mask > 0).sum(1, keepdim=True) == 0  # a case without any step: all weigh the same, nothing is NaN
        scores = scores.masked_fill((mask <= 0) & ~none, float("-inf"))
        weights = torch.softmax(scores, dim=1).unsqueeze(-1)
        return (states * weights).sum(1, dtype=torch.float32)


def pooling(kind: Pooling, width: int) -> nn.Module:
    """The layer of that name."""
    return {"mean": MeanPooling, "last": LastPooling}[kind]() if kind != "attention" else AttentionPooling(width)
