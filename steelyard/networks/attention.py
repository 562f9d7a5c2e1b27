"""Blocks of a transformer encoder, for texts and series: attention over the steps that a mask lets count."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.errors import UserError
from steelyard.networks.layers import ACTIVATIONS, GAINS, Activation, Dropout, linear
from steelyard.networks.pooling import scores_of

Positions = Literal["learnt", "waves", "none"]
WIDER = 2  # the hidden layer of a block against its width: four times is usual, and gains nothing on few rows


class Block(nn.Module):
    """Attention of every step to all steps, then a hidden layer at every step, each added to what it saw normalised.

    Sources: Vaswani et al. 2017 (arXiv 1706.03762); Xiong et al. 2020, pre-norm (arXiv 2002.04745).
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0, activation: Activation = "gelu") -> None:
        super().__init__()
        if width % heads:
            raise UserError(
                f"network.width {width} cannot be shared out among {heads} heads: choose a multiple of them"
            )
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.asked = linear(width, 3 * width, 1.0)
        self.answered = linear(width, width, 0.5)
        self.hidden = nn.Sequential(
            linear(width, WIDER * width, 1.0),
            ACTIVATIONS[activation](),
            linear(WIDER * width, width, 0.5 * GAINS[activation]),
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Steps (n, time, width) of steps (n, time, width); the mask (n, time) says how much each is looked at."""
        x = x + self.dropout(self._attention(self.norms[0](x), mask))
        changed: Tensor = x + self.dropout(self.hidden(self.norms[1](x)))
        return changed

    def _attention(self, x: Tensor, mask: Tensor) -> Tensor:
        n, time, width = x.shape
        query, key, values = self.asked(x).view(n, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = scores_of(mask).to(query.dtype).view(n, 1, 1, time)
        seen = F.scaled_dot_product_attention(query, key, values, bias)
        answer: Tensor = self.answered(seen.transpose(1, 2).reshape(n, time, width))
        return answer


class LearntPositions(nn.Module):
    """A learnt vector added to every step by its place, up to the longest text or series of train."""

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn(length, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.shape[1]]


class Waves(nn.Module):
    """Sines and cosines of the place added to every step, for any length (Vaswani et al. 2017, section 3.5)."""

    def forward(self, x: Tensor) -> Tensor:
        time, width = x.shape[1:]
        place = torch.arange(time, device=x.device, dtype=torch.float32).unsqueeze(1)
        speed = torch.exp(torch.arange(0, width, 2, device=x.device) * (-math.log(10_000.0) / width))
        waves = torch.stack([torch.sin(place * speed), torch.cos(place * speed)], dim=-1).flatten(1)[:, :width]
        return x + 0.1 * waves.to(x.dtype)  # as small as the vectors they are added to


def positions(kind: Positions, length: int, width: int) -> nn.Module:
    """The layer that adds places."""
    if kind == "learnt":
        return LearntPositions(length, width)
    return Waves() if kind == "waves" else nn.Identity()
