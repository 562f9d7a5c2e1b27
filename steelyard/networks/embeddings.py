"""How a table becomes features: categories to 0/1 columns or learnt vectors, numbers to learnt waves."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.networks.layers import Dropout


class Categories(nn.Module):
    """Codes to 0/1 columns for small categories and to learnt vectors for the others; code 0 starts as all zeros.

    `dropout` is the share of these values that training zeroes (it follows the knob `embedding_dropout`).
    """

    stackable = True
    column: Tensor
    level: Tensor
    large: Tensor
    offset: Tensor

    def __init__(self, cardinalities: tuple[int, ...], onehot: int, embedding: int, dropout: float = 0.0) -> None:
        super().__init__()
        small = [j for j, k in enumerate(cardinalities) if k - 1 <= onehot]
        large = [j for j, k in enumerate(cardinalities) if k - 1 > onehot]
        pairs = [(j, level) for j in small for level in range(1, cardinalities[j])]
        sizes = [cardinalities[j] for j in large]
        offsets = [sum(sizes[:i]) for i in range(len(sizes))]
        self.features = len(pairs) + embedding * len(large)
        for name, numbers in {
            "column": [j for j, _ in pairs],
            "level": [level for _, level in pairs],
            "large": large,
            "offset": offsets,
        }.items():
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.table = nn.Parameter(torch.randn(sum(sizes), embedding)) if large else None
        if self.table is not None:
            self.table.data[offsets] = 0.0
        self.dropout = Dropout(dropout, "embedding_dropout")

    def forward(self, codes: Tensor) -> list[Tensor]:
        """Features (…, n, columns) of codes (…, n, c): of small categories, then of large ones, where there are any."""
        found = [(codes.index_select(-1, self.column) == self.level).float()] if len(self.column) else []
        if self.table is not None:
            found.append(_looked_up(codes.index_select(-1, self.large) + self.offset, self.table))
        return [self.dropout(values) for values in found]


def _looked_up(rows: Tensor, table: Tensor) -> Tensor:
    """Rows (…, n, c) of a table (levels, e), or of one table a member (members, levels, e), as (…, n, c·e)."""
    if table.ndim == 3:
        members, levels, _ = table.shape
        rows = rows + torch.arange(0, members * levels, levels, device=rows.device).view(-1, 1, 1)
    whole = table.flatten(0, -2)
    learning = torch.is_grad_enabled() and whole.requires_grad
    found: Tensor = _Lookup.apply(rows, whole) if learning else F.embedding(rows, whole)  # type: ignore[no-untyped-call]
    return found.flatten(-2)


class _Lookup(torch.autograd.Function):
    """`F.embedding` whose gradient is one indexed sum: on a CPU it takes a fraction of the time for narrow tables."""

    generate_vmap_rule = True

    @staticmethod
    def forward(rows: Tensor, table: Tensor) -> Tensor:
        return F.embedding(rows, table)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        rows, table = inputs
        ctx.save_for_backward(rows)
        ctx.shape = table.shape

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (rows,), (slope,) = ctx.saved_tensors, slopes
        summed = slope.new_zeros(ctx.shape).index_put_((rows,), slope, accumulate=True)
        return None, summed


class Periodic(nn.Module):
    """Each number to `width` values: linear in cos(2 pi (f x + b)) of learnt frequencies f, phases b.

    Numbers (…, n, d) become (…, n, d · width); `spread` is that of the first frequencies: a tenth for hundreds of rows,
    a half for many thousands, when numbers have spread 1.
    Source: Gorishniy et al. 2022, section 3.3 (arXiv 2203.05556).

    >>> layer = Periodic(numbers=3, frequencies=16, spread=0.3, width=4)
    >>> layer(torch.randn(32, 3)).shape, layer.features
    (torch.Size([32, 12]), 12)
    """

    stackable = True

    def __init__(self, numbers: int, frequencies: int, spread: float, width: int = 3) -> None:
        super().__init__()
        self.features = numbers * width
        self.frequency = nn.Parameter(2 * math.pi * spread * torch.randn(numbers, frequencies))
        self.phase = nn.Parameter(math.pi * (2 * torch.rand(numbers, frequencies) - 1))
        bound = 1 / math.sqrt(frequencies)
        self.weight = nn.Parameter(bound * (2 * torch.rand(numbers, frequencies, width) - 1))
        self.bias = nn.Parameter(bound * (2 * torch.rand(numbers, width) - 1))

    def forward(self, numbers: Tensor) -> Tensor:
        """Features (…, n, d·width) of numbers (…, n, d)."""
        *ahead, n, d = numbers.shape
        frequency = self.frequency.flatten(0, -2).unsqueeze(2)  # (members·d, k, 1): one product of matrices for all
        phase, weight = self.phase.flatten(0, -2).unsqueeze(2), self.weight.flatten(0, -3)
        x = numbers.mT.contiguous().view(len(frequency), 1, n)  # rows last: long runs for the cosine
        waves = torch.addcmul(phase, x, frequency).cos()
        mixed = torch.baddbmm(self.bias.flatten(0, -2).unsqueeze(2), weight.mT, waves)
        return mixed.view(*ahead, d * weight.shape[-1], n).mT
