"""Networks for texts: the mean of word vectors, convolutions over words, recurrent cells, a small transformer.

All of them look at no more steps than the longest text of a batch has.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steelyard.data.prepared import TextShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.attention import Block, Positions, positions
from steelyard.networks.layers import ACTIVATIONS, GAINS, Activation, Dropout, head, linear
from steelyard.networks.lengths import by_length
from steelyard.networks.pooling import Pooling, pooling
from steelyard.networks.recurrent import Cell, Recurrent
from steelyard.networks.tokens import Tokens, parted
from steelyard.parts import Network


@dataclass(frozen=True)
class TextBag(Network):
    """The vectors of all tokens pooled, then `depth` hidden layers of `width`; the order of the words plays no part.

    Tokens become vectors of `embedding` values, or start from the word vectors that the preparation was given
    (`frozen` keeps those as they are), as in all networks for texts.
    Source: Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods"; Joulin et al. 2016, fastText
    (arXiv 1607.01759).
    """

    embedding: int = knob(128, 1, 4096)
    width: int = knob(128, 1, 4096)
    depth: int = knob(1, 0, 16)
    pooling: Pooling = "mean"
    activation: Activation = "relu"
    dropout: Knob = knob(0.3, 0.0, 0.95)
    embedding_dropout: Knob = knob(0.0, 0.0, 0.95)
    frozen: bool = False

    def build(self, shape: TextShape, outputs: int) -> nn.Module:
        """A network from token ids (n, length) to (n, outputs) logits or values."""
        return Bag(self, shape, outputs)


class TextNetwork(nn.Module):
    """`encode` embeds the tokens, `represent` pools what a network makes of them, `forward` adds the last layer."""

    tokens: Tokens
    dropout: Dropout
    head: nn.Module
    represented: int

    def encode(self, ids: Tensor) -> Tensor:
        """Features (n, time, width + 1) of token ids (n, length); the last one is the mask."""
        features: Tensor = self.tokens(ids)
        return features

    def represent(self, features: Tensor) -> Tensor:
        """What the last layer sees (n, represented)."""
        raise NotImplementedError

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output


class Bag(TextNetwork):
    """The network of `TextBag`."""

    def __init__(self, part: TextBag, shape: TextShape, outputs: int) -> None:
        super().__init__()
        self.tokens = Tokens(shape, part.embedding, part.frozen, value(part.embedding_dropout, 0.0))
        size, gain, layers = self.tokens.width, 1.0, list[nn.Module]()
        self.pool = pooling(part.pooling, size)
        self.dropout = Dropout(value(part.dropout, 0.0))
        for _ in range(part.depth):
            hidden = [linear(size, part.width, gain), ACTIVATIONS[part.activation](), Dropout(self.dropout.p)]
            layers, size, gain = [*layers, *hidden], part.width, GAINS[part.activation]
        self.layers = nn.Sequential(*layers)
        self.head = head(size, outputs)
        self.represented = size

    def represent(self, features: Tensor) -> Tensor:
        hidden: Tensor = self.layers(self.dropout(self.pool(*parted(features))))
        return hidden


@dataclass(frozen=True)
class TextCnn(Network):
    """Convolutions over windows of some words (`kernels`), `width` maps each, and the largest value over the text.

    From `depth` 2 on, residual convolutions over 3 words come first.
    Source: Kim 2014, "Convolutional Neural Networks for Sentence Classification" (arXiv 1408.5882).
    """

    embedding: int = knob(128, 1, 4096)
    width: int = knob(100, 1, 4096)
    depth: int = knob(1, 1, 16)
    kernels: tuple[int, ...] = (3, 4, 5)
    pooling: Pooling = "max"
    activation: Activation = "relu"
    dropout: Knob = knob(0.5, 0.0, 0.95)
    embedding_dropout: Knob = knob(0.0, 0.0, 0.95)
    frozen: bool = False

    def build(self, shape: TextShape, outputs: int) -> nn.Module:
        """A network from token ids (n, length) to (n, outputs) logits or values."""
        return Cnn(self, shape, outputs)


class Cnn(TextNetwork):
    """The network of `TextCnn`."""

    def __init__(self, part: TextCnn, shape: TextShape, outputs: int) -> None:
        super().__init__()
        self.tokens = Tokens(shape, part.embedding, part.frozen, value(part.embedding_dropout, 0.0))
        size, gain = self.tokens.width, GAINS[part.activation]
        self.before = nn.ModuleList(_convolution(size, size, 3, gain) for _ in range(part.depth - 1))
        self.windows = nn.ModuleList(_convolution(size, part.width, kernel, 1.0) for kernel in part.kernels)
        self.activation = ACTIVATIONS[part.activation]()
        self.represented = part.width * len(part.kernels)
        self.pool = pooling(part.pooling, self.represented)
        self.dropout = Dropout(value(part.dropout, 0.0))
        self.head = head(self.represented, outputs)

    def represent(self, features: Tensor) -> Tensor:
        pooled: Tensor = self.dropout(by_length(self._read, *parted(features)))
        return pooled

    def _read(self, x: Tensor, mask: Tensor) -> Tensor:
        steps = mask.unsqueeze(1)
        maps = x.mT  # (n, width, time), 0 where there is no token: what a convolution sees beyond the ends
        for layer in self.before:
            maps = maps + layer(self.activation(maps)) * steps
        found = torch.cat([self.activation(layer(maps)[..., : x.shape[1]]) for layer in self.windows], dim=1)
        pooled: Tensor = self.pool(found.mT, mask)
        return pooled


def _convolution(inputs: int, outputs: int, kernel: int, gain: float) -> nn.Conv1d:
    """A convolution with first values matched to what it sees; with an even kernel it gives one step too many."""
    layer = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.normal_(layer.weight, std=gain / (inputs * kernel) ** 0.5)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class TextRnn(Network):
    """Recurrent cells of `width` that read the text forwards and, if `bidirectional`, backwards; `depth` on each other.

    `pooling` turns the states to one vector: the last ones, their mean, their maximum, or attention.
    Sources: Hochreiter & Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU, arXiv 1406.1078).
    """

    embedding: int = knob(128, 1, 4096)
    width: int = knob(96, 1, 4096)
    depth: int = knob(1, 1, 16)
    cell: Cell = "gru"
    bidirectional: bool = True
    pooling: Pooling = "max"
    dropout: Knob = knob(0.4, 0.0, 0.95)
    embedding_dropout: Knob = knob(0.2, 0.0, 0.95)
    frozen: bool = False

    def build(self, shape: TextShape, outputs: int) -> nn.Module:
        """A network from token ids (n, length) to (n, outputs) logits or values."""
        return Rnn(self, shape, outputs)


class Rnn(TextNetwork):
    """The network of `TextRnn`."""

    def __init__(self, part: TextRnn, shape: TextShape, outputs: int) -> None:
        super().__init__()
        self.tokens = Tokens(shape, part.embedding, part.frozen, value(part.embedding_dropout, 0.0))
        rate = value(part.dropout, 0.0)
        self.cells = Recurrent(self.tokens.width, part.width, part.depth, part.cell, part.bidirectional, rate)
        self.represented = self.cells.features
        self.pool = pooling(part.pooling, self.represented, part.bidirectional)
        self.dropout = Dropout(rate)
        self.head = head(self.represented, outputs)

    def represent(self, features: Tensor) -> Tensor:
        x, mask = parted(features)
        pooled: Tensor = self.dropout(self.pool(self.cells(x, mask), mask))
        return pooled


@dataclass(frozen=True)
class TextTransformer(Network):
    """`depth` blocks of attention with `heads` heads over vectors of `width`, each block normalised before (pre-norm).

    `pooling` "first" reads the answer from a learnt token put in front of the text, as BERT does.
    Sources: Vaswani et al. 2017 (arXiv 1706.03762); Xiong et al. 2020, pre-norm (arXiv 2002.04745); Devlin et al.
    2019 (arXiv 1810.04805).
    """

    width: int = knob(128, 8, 4096)
    depth: int = knob(2, 1, 48)
    heads: int = knob(4, 1, 64)
    positions: Positions = "learnt"
    pooling: Literal["mean", "max", "first", "attention"] = "mean"
    activation: Activation = "gelu"
    dropout: Knob = knob(0.2, 0.0, 0.95)
    embedding_dropout: Knob = knob(0.1, 0.0, 0.95)
    frozen: bool = False

    def build(self, shape: TextShape, outputs: int) -> nn.Module:
        """A network from token ids (n, length) to (n, outputs) logits or values."""
        return Transformer(self, shape, outputs)


class Transformer(TextNetwork):
    """The network of `TextTransformer`."""

    def __init__(self, part: TextTransformer, shape: TextShape, outputs: int) -> None:
        super().__init__()
        width = part.width
        self.tokens = Tokens(shape, width, part.frozen, value(part.embedding_dropout, 0.0))
        self.fit = nn.Identity() if self.tokens.width == width else nn.Linear(self.tokens.width, width)
        self.positions = positions(part.positions, shape.length, width)
        self.first = nn.Parameter(torch.zeros(1, 1, width)) if part.pooling == "first" else None
        rate = value(part.dropout, 0.0)
        self.blocks = nn.ModuleList(Block(width, part.heads, rate, part.activation) for _ in range(part.depth))
        self.norm = nn.LayerNorm(width)
        self.pool = None if part.pooling == "first" else pooling(part.pooling, width)
        self.dropout = Dropout(rate)
        self.head = head(width, outputs)
        self.represented = width

    def represent(self, features: Tensor) -> Tensor:
        kept: Tensor = self.dropout(by_length(self._read, *parted(features)))
        return kept

    def _read(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.positions(self.fit(x))
        if self.first is not None:
            x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1)
            mask = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x)
        pooled: Tensor = x[:, 0] if self.pool is None else self.pool(x, mask)
        return pooled
