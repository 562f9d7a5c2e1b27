"""A small transformer encoder for series: stretches of a series are tokens that attend to each other."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.data.prepared import SeriesShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.layers import Dropout, head, linear
from steelyard.networks.pooling import Pooling, pooling
from steelyard.networks.steps import alive, visible
from steelyard.parts import Network

HEAD = 16  # values of an attention head
TOKENS = 64  # stretches that the longest series of train is cut into, at most


@dataclass(frozen=True)
class SeriesTransformer(Network):
    """`depth` encoder layers of `width` values a token; the tokens are pooled over time and feed the head.

    A token is a stretch of steps, so long that the longest series of train has 64 of them at most; its place is told
    by sines. `dropout` acts on what attention and the layers behind it add, and on what the head sees. Series of any
    length can be predicted; what stands behind the end of a shorter one changes nothing.
    Sources: Vaswani et al. 2017 (arXiv 1706.03762); norms in front: Xiong et al. 2020 (arXiv 2002.04745); stretches as
    tokens: Nie et al. 2023 (arXiv 2211.14730).
    """

    width: int = knob(32, 2, 1024)
    depth: int = knob(2, 1, 24)
    pooling: Pooling = "mean"
    dropout: Knob = knob(0.1, 0.0, 0.95)

    def build(self, shape: SeriesShape, outputs: int) -> nn.Module:
        """A network from series (n, channels, time) with NaN for missing to (n, outputs) logits or values."""
        return Transformer(self, shape.channels + 1, max(1, -(-shape.length // TOKENS)), outputs)


class Transformer(nn.Module):
    """`encode` makes gaps visible; `forward` takes features (n, channels + 1, time) to (n, outputs)."""

    def __init__(self, part: SeriesTransformer, inputs: int, stretch: int, outputs: int) -> None:
        super().__init__()
        rate = value(part.dropout, 0.0)
        self.stretch = stretch
        self.tokens = linear(inputs * stretch, part.width, 1.0)
        self.layers = nn.ModuleList(_Layer(part.width, rate) for _ in range(part.depth))
        self.norm = nn.LayerNorm(part.width)
        self.pooling, self.dropout = pooling(part.pooling, part.width), Dropout(rate)
        self.head = head(part.width, outputs)
        self.represented = part.width

    def encode(self, x: Tensor) -> Tensor:
        """Features float32 (n, channels + 1, time) of series (n, channels, time)."""
        return visible(x)

    def represent(self, features: Tensor) -> Tensor:
        """The pooled tokens (n, represented)."""
        mask = alive(features)
        short = -features.shape[-1] % self.stretch
        features, mask = F.pad(features, (0, short)), F.pad(mask, (0, short))
        n, channels, time = features.shape
        cut = features.view(n, channels, time // self.stretch, self.stretch)
        tokens = self.tokens(cut.permute(0, 2, 1, 3).flatten(2))
        there = mask.view(n, -1, self.stretch).amax(-1)
        tokens = tokens + places(tokens.shape[1], tokens.shape[2], tokens.device)
        for layer in self.layers:
            tokens = layer(tokens, there)
        kept: Tensor = self.dropout(self.pooling(self.norm(tokens), there))
        return kept

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output


class _Layer(nn.Module):
    """Attention, then two linear layers, each added to what it saw."""

    def __init__(self, width: int, rate: float) -> None:
        super().__init__()
        self.heads = next(heads for heads in range(max(1, width // HEAD), 0, -1) if width % heads == 0)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.queries, self.out = linear(width, 3 * width, 1.0), linear(width, width, 1.0)
        self.wide, self.narrow = linear(width, 2 * width, 1.0), linear(2 * width, width, 1.5335)
        self.dropouts = nn.ModuleList(Dropout(rate) for _ in range(2))

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Tokens (n, time, width); those where `there` (n, time) is 0 are seen by none."""
        n, time, width = tokens.shape
        parts = self.queries(self.norms[0](tokens)).view(n, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        none = (there > 0).sum(1, keepdim=True) == 0
        seen = ((there > 0) | none)[:, None, None, :]
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=seen)
        tokens = tokens + self.dropouts[0](self.out(mixed.transpose(1, 2).reshape(n, time, width)))
        added: Tensor = tokens + self.dropouts[1](self.narrow(F.gelu(self.wide(self.norms[1](tokens)))))
        return added


def places(time: int, width: int, device: torch.device) -> Tensor:
    """Sines and cosines (time, width) that tell where a token stands (Vaswani et al. 2017, section 3.5)."""
    half = -(-width // 2)
    rates = torch.exp(torch.arange(half, device=device) * (-math.log(10_000.0) / max(1, half)))
    angles = torch.arange(time, device=device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
