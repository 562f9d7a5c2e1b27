"""Categories to learnt vectors, with one for what training has not seen."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CategoricalEmbedding(nn.Module):
    """A learnt vector for each level of each category, and one of its own for what is missing or was never seen.

    Codes int64 (n, c) become (n, c · width). `cardinalities` are the numbers of codes of each category, code 0 among
    them: it stands for missing and unseen, as does every code below 0 or beyond the last one, so that levels that only
    turn up later are no error. Its vector starts as zeros; `unseen` is the share of codes that training takes for 0,
    without which that vector is only learnt from rows where a value is missing.
    Sources: Guo & Berkhahn 2016, "Entity Embeddings of Categorical Variables" (arXiv 1604.06737); words taken for
    unknown in training, Iyyer et al. 2015, section 3.1 (word dropout).

    >>> layer = CategoricalEmbedding(cardinalities=(4, 13), width=8, unseen=0.05)
    >>> layer(torch.tensor([[1, 12], [0, 99], [-1, 3]])).shape, layer.features
    (torch.Size([3, 16]), 16)
    """

    limits: Tensor
    offsets: Tensor

    def __init__(self, cardinalities: Sequence[int], width: int = 8, unseen: float = 0.0) -> None:
        super().__init__()
        if not cardinalities or min(cardinalities) < 1 or not 0 <= unseen < 1:
            raise ValueError(f"cardinalities are numbers from 1 and unseen a share, got {cardinalities} and {unseen}")
        sizes = torch.tensor(cardinalities, dtype=torch.int64)
        self.features, self.unseen = len(sizes) * width, unseen
        self.register_buffer("limits", sizes, persistent=False)
        self.register_buffer("offsets", sizes.cumsum(0) - sizes, persistent=False)
        self.table = nn.Parameter(torch.randn(int(sizes.sum()), width) / width**0.5)
        self.table.data[self.offsets] = 0.0

    def forward(self, codes: Tensor) -> Tensor:
        """Features (n, c · width) of codes (n, c)."""
        known = (codes > 0) & (codes < self.limits)
        if self.training and self.unseen > 0:
            known &= torch.rand(codes.shape, device=codes.device) >= self.unseen
        return F.embedding(torch.where(known, codes, 0) + self.offsets, self.table).flatten(-2)

    def extra_repr(self) -> str:
        return f"cardinalities={tuple(self.limits.tolist())}, unseen={self.unseen:g}"
