"""Numbers to learnt values by pieces between quantiles."""

import math
from typing import Any

import torch
from torch import Tensor, nn


class PiecewiseLinear(nn.Module):
    """Each number to `width` values that are linear between the edges of its bins, with a slope of its own in each.

    Numbers (…, n, d) become (…, n, d · width). `edges` (d, bins + 1), rising, are the quantiles of each column on train
    rows (`of` finds them); beyond the first and last edge the outer pieces go on. A bin of no width counts for nothing.
    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", section 3.2,
    equation 1 (arXiv 2203.05556), with the linear layer a column of section 3.4.

    >>> layer = PiecewiseLinear.of(torch.randn(500, 3), bins=8, width=4)
    >>> layer(torch.randn(32, 3)).shape, layer.features
    (torch.Size([32, 12]), 12)
    """

    stackable = True
    edges: Tensor

    def __init__(self, edges: Tensor, width: int = 4) -> None:
        super().__init__()
        if edges.ndim != 2 or edges.shape[1] < 2 or bool((edges.diff(dim=1) < 0).any()):
            raise ValueError(f"edges are (columns, bins + 1) and rise in every row, got {tuple(edges.shape)}")
        numbers, bins = edges.shape[0], edges.shape[1] - 1
        self.features = numbers * width
        self.register_buffer("edges", edges.float().clone())
        bound = 1 / math.sqrt(bins)
        self.weight = nn.Parameter(bound * (2 * torch.rand(numbers, bins, width) - 1))
        self.bias = nn.Parameter(bound * (2 * torch.rand(numbers, width) - 1))

    @classmethod
    def of(cls, columns: Any, bins: int = 16, width: int = 4) -> "PiecewiseLinear":
        """The layer whose bins hold about as many of these train rows (n, d) each; NaN is left out."""
        found = torch.as_tensor(columns, dtype=torch.float64)
        shares = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
        return cls(torch.nanquantile(found, shares, dim=0).T.float(), width)

    @classmethod
    def of_scores(cls, numbers: int, bins: int, width: int) -> "PiecewiseLinear":
        """The layer for so many columns that are normal scores (ranks on train as quantiles of a normal distribution).

        The outer edges stand at the 0.5 and 99.5 percentiles.
        """
        shares = torch.linspace(0, 1, bins + 1).clamp(0.005, 0.995)
        return cls((math.sqrt(2) * torch.erfinv(2 * shares - 1)).expand(numbers, -1), width)

    def forward(self, numbers: Tensor) -> Tensor:
        """Features (…, n, d · width) of numbers (…, n, d)."""
        low, size = self.edges[..., :-1], self.edges.diff(dim=-1)
        if low.ndim == 3:  # (members, d, bins)
            low, size = low.unsqueeze(1), size.unsqueeze(1)
        shares = (numbers.unsqueeze(-1) - low) / size.clamp_min(1e-12)
        bins = shares.shape[-1]
        first, last = torch.arange(bins) == 0, torch.arange(bins) == bins - 1
        floor = torch.where(first, -math.inf, 0.0).to(shares)
        ceiling = torch.where(last, math.inf, 1.0).to(shares)
        encoded = torch.where(size > 0, shares.clamp(floor, ceiling), 0.0)
        mixed = torch.einsum("...ndb,...dbw->...ndw", encoded, self.weight) + self.bias.unsqueeze(-3)
        return mixed.flatten(-2)
