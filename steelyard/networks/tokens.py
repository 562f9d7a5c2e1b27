"""Tokens to learnt vectors, the way into every network for texts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.data.prepared import TextShape
from steelyard.networks.layers import Dropout

SPREAD = 0.1  # of the first values of a vector


class Tokens(nn.Module):
    """A learnt vector per token, with one value more that says whether there is a token at all.

    With pre-trained vectors it starts from them, whatever `width` says; `frozen` keeps them as they are.
    `dropout` is the share of the values that training zeroes (it follows the knob `embedding_dropout`).
    """

    def __init__(self, shape: TextShape, width: int, frozen: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = shape.width or width
        first = SPREAD * torch.randn(shape.tokens, self.width)
        if shape.vectors is not None:
            first = torch.from_numpy(shape.vectors).clone()
        self.table = nn.Parameter(first, requires_grad=not (frozen and shape.width))
        self.dropout = Dropout(dropout, "embedding_dropout")

    def forward(self, ids: Tensor) -> Tensor:
        """Features (n, time, width + 1) of ids (n, length): as long as the longest text among them, 0 behind each.

        The last feature is 1 for a token and 0 for padding, so that it goes along when examples are blended.
        """
        used = (ids > 0).any(dim=0).nonzero()
        ids = ids[:, : int(used[-1]) + 1] if len(used) else ids[:, :1]
        mask = (ids > 0).to(self.table.dtype).unsqueeze(-1)
        return torch.cat([self.dropout(F.embedding(ids, self.table) * mask), mask], dim=-1)


def parted(features: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors (n, time, width) and the mask (n, time) of what `Tokens` gives."""
    return features[..., :-1], features[..., -1]
