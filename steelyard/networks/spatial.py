"""Maps of any size to vectors of one length: pyramid, mean, maximum and attention over positions."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MapPooling = Literal["average", "max", "pyramid", "attention"]
LEVELS = (1, 2)  # of a pyramid over the last maps of our networks, which are small


class SpatialPyramidPooling(nn.Module):
    """The largest (or mean) value of every channel in each cell of grids of 1×1, 2×2, 4×4 … cells.

    Maps (n, c, h, w) of any size become (n, c · Σ levels²), the same length for all, so that a linear layer can follow
    whatever the size of the images; the coarse layout is kept, which a global mean loses.
    Source: He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks", section 2.2 (arXiv 1406.4729).

    >>> pool = SpatialPyramidPooling(levels=(1, 2, 4))
    >>> pool(torch.randn(8, 16, 13, 9)).shape, pool(torch.randn(8, 16, 40, 40)).shape, pool.features(16)
    (torch.Size([8, 336]), torch.Size([8, 336]), 336)
    """

    def __init__(self, levels: Sequence[int] = (1, 2, 4), mode: Literal["max", "average"] = "max") -> None:
        super().__init__()
        if not levels or min(levels) < 1 or mode not in {"max", "average"}:
            raise ValueError(f"levels are whole numbers from 1 and mode is max or average, got {levels} and '{mode}'")
        self.levels, self.mode = tuple(levels), mode

    def features(self, channels: int) -> int:
        """The length of what comes out for so many channels."""
        return channels * sum(level**2 for level in self.levels)

    def forward(self, maps: Tensor) -> Tensor:
        pool = F.adaptive_max_pool2d if self.mode == "max" else F.adaptive_avg_pool2d
        return torch.cat([pool(maps, level).flatten(1) for level in self.levels], dim=1)

    def extra_repr(self) -> str:
        return f"levels={self.levels}, mode={self.mode}"


class GlobalAveragePooling(nn.Module):
    """The mean of every channel over all positions: maps (n, c, …) to (n, c), computed in float32 or better.

    Source: Lin et al. 2014, "Network In Network", section 3.2 (arXiv 1312.4400).

    >>> GlobalAveragePooling()(torch.ones(8, 16, 13, 9)).shape
    torch.Size([8, 16])
    """

    def features(self, channels: int) -> int:
        """The length of what comes out for so many channels."""
        return channels

    def forward(self, maps: Tensor) -> Tensor:
        axes = tuple(range(2, maps.ndim))
        return maps.mean(axes, dtype=torch.promote_types(maps.dtype, torch.float32))


class GlobalMaxPooling(nn.Module):
    """The largest value of every channel over all positions: maps (n, c, …) to (n, c).

    Source: Oquab et al. 2015, "Is object localization for free?", section 3.2.

    >>> GlobalMaxPooling()(torch.ones(8, 16, 13, 9)).shape
    torch.Size([8, 16])
    """

    def features(self, channels: int) -> int:
        """The length of what comes out for so many channels."""
        return channels

    def forward(self, maps: Tensor) -> Tensor:
        return maps.flatten(2).amax(2)


class AttentionMapPooling(nn.Module):
    """A mean over all positions of maps (n, c, h, w) whose weights are learnt: (n, c); it starts as the plain mean.

    A position counts by softmax of v · tanh(W x + b), as in `AttentionPooling` for steps of a text.
    Source: Ilse et al. 2018, "Attention-based Deep Multiple Instance Learning", equation 8 (arXiv 1802.04712).

    >>> AttentionMapPooling(16)(torch.ones(8, 16, 13, 9)).shape
    torch.Size([8, 16])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(channels, channels)
        self.score = nn.Linear(channels, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def features(self, channels: int) -> int:
        """The length of what comes out for so many channels."""
        return channels

    def forward(self, maps: Tensor) -> Tensor:
        places = maps.flatten(2).mT
        shares = F.softmax(self.score(torch.tanh(self.hidden(places))).float(), dim=1)
        pooled: Tensor = (shares * places).sum(dim=1)
        return pooled


def map_pooling(
    kind: MapPooling, channels: int
) -> SpatialPyramidPooling | GlobalAveragePooling | GlobalMaxPooling | AttentionMapPooling:
    """The layer of that name over maps of so many channels."""
    if kind == "attention":
        return AttentionMapPooling(channels)
    if kind == "pyramid":
        return SpatialPyramidPooling(LEVELS)
    return GlobalMaxPooling() if kind == "max" else GlobalAveragePooling()
