"""Convolutional networks for series of any length: a residual one and one in the manner of InceptionTime."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.data.prepared import SeriesShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.layers import ACTIVATIONS, Dropout, head
from steelyard.networks.pooling import MeanPooling
from steelyard.networks.steps import StepActivation, StepNormalization, alive, convolution, halved, norm, visible
from steelyard.parts import Network

SIZES = (7, 5, 3)  # steps of the three convolutions of a block; the paper has 8, 5, 3
KERNELS = (9, 19, 39)  # the paper has 10, 20, 40


@dataclass(frozen=True)
class SeriesResnet(Network):
    """`depth` residual blocks of three convolutions over 7, 5 and 3 steps, then the mean over time.

    The first block has `width` channels, the others twice as many. Maps longer than `steps` are halved between
    blocks, which costs little accuracy and saves most of the time. Series of any length can be predicted; what stands
    behind the end of a shorter series changes nothing. `dropout` acts on what the head sees; `stochastic_depth` leaves
    out the convolutions of single examples (Huang et al. 2016, arXiv 1603.09382), later blocks more often.
    Source: Wang, Yan & Oates 2017, "Time series classification from scratch" (arXiv 1611.06455).
    """

    width: int = knob(32, 1, 1024)
    depth: int = knob(3, 1, 16)
    steps: int = knob(96, 4, 100_000)
    dropout: Knob = knob(0.0, 0.0, 0.95)
    normalization: StepNormalization = "batch"
    activation: StepActivation = "relu"
    stochastic_depth: Knob = knob(0.0, 0.0, 0.95)

    def build(self, shape: SeriesShape, outputs: int) -> nn.Module:
        """A network from series (n, channels, time) with NaN for missing to (n, outputs) logits or values."""
        blocks, channels = list[nn.Module](), shape.channels + 1
        for number in range(self.depth):
            wider = self.width * (1 if number == 0 else 2)
            rate = value(self.stochastic_depth, 0.0)
            dropout = Dropout(rate, "stochastic_depth", whole=True, share=(number + 1) / self.depth)
            blocks.append(_Residual(channels, wider, self, dropout))
            channels = wider
        return SeriesCnn(blocks, channels, self.steps, value(self.dropout, 0.0), outputs)


@dataclass(frozen=True)
class InceptionTime(Network):
    """`depth` modules that look at 9, 19 and 39 steps at once, a shortcut around every three, then the mean over time.

    `width` is the number of filters of each size; a module puts out four times as many. Maps longer than `steps` are
    halved between groups of three. What stands behind the end of a shorter series changes nothing.
    Source: Ismail Fawaz et al. 2020, "InceptionTime" (arXiv 1909.04939); its five networks are one here, since the
    final model of a run holds several seeds anyway.
    """

    width: int = knob(16, 1, 512)
    depth: int = knob(6, 1, 24)
    steps: int = knob(192, 4, 100_000)
    dropout: Knob = knob(0.0, 0.0, 0.95)
    normalization: StepNormalization = "batch"
    activation: StepActivation = "relu"
    stochastic_depth: Knob = knob(0.0, 0.0, 0.95)

    def build(self, shape: SeriesShape, outputs: int) -> nn.Module:
        """A network from series (n, channels, time) with NaN for missing to (n, outputs) logits or values."""
        blocks, channels = list[nn.Module](), shape.channels + 1
        groups = [3] * (self.depth // 3) + [self.depth % 3] * (self.depth % 3 > 0)
        for number, modules in enumerate(groups):
            rate = value(self.stochastic_depth, 0.0)
            dropout = Dropout(rate, "stochastic_depth", whole=True, share=(number + 1) / len(groups))
            blocks.append(_Group(channels, modules, self, dropout))
            channels = 4 * self.width
        return SeriesCnn(blocks, channels, self.steps, value(self.dropout, 0.0), outputs)


class SeriesCnn(nn.Module):
    """`encode` makes gaps visible; `forward` takes features (n, channels + 1, time) to (n, outputs)."""

    def __init__(self, blocks: list[nn.Module], channels: int, steps: int, dropout: float, outputs: int) -> None:
        super().__init__()
        self.blocks, self.steps = nn.ModuleList(blocks), steps
        self.pooling, self.dropout = MeanPooling(), Dropout(dropout)
        self.head = head(channels, outputs)
        self.represented = channels

    def encode(self, x: Tensor) -> Tensor:
        """Features float32 (n, channels + 1, time) of series (n, channels, time)."""
        return visible(x)

    def represent(self, features: Tensor) -> Tensor:
        """The mean over the last map (n, represented)."""
        mask = alive(features)
        maps = features
        for number, block in enumerate(self.blocks):
            if number and maps.shape[-1] > self.steps:
                maps, mask = halved(maps, mask)
            maps = block(maps, mask)
        kept: Tensor = self.dropout(self.pooling(maps.transpose(1, 2), mask.squeeze(1)))
        return kept

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output


class _Residual(nn.Module):
    """Three convolutions around which the input is added."""

    def __init__(self, inputs: int, outputs: int, part: SeriesResnet, dropout: Dropout) -> None:
        super().__init__()
        bias = part.normalization == "none"
        channels = [inputs, *[outputs] * len(SIZES)]
        self.convolutions = nn.ModuleList(
            convolution(a, b, size, part.activation, bias)
            for a, b, size in zip(channels, channels[1:], SIZES, strict=False)
        )
        self.norms = nn.ModuleList(norm(part.normalization, outputs) for _ in SIZES)
        self.shortcut = _shortcut(inputs, outputs, part.normalization)
        self.activation, self.dropout = ACTIVATIONS[part.activation](), dropout

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Maps (n, outputs, time), 0 behind the end."""
        found = maps
        for number, (layer, normal) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            found = normal(layer(found))
            if number < len(SIZES) - 1:
                found = self.activation(found) * mask
        output: Tensor = self.activation(self.dropout(found) + self.shortcut(maps)) * mask
        return output


class _Group(nn.Module):
    """Inception modules one after the other, the input added around them."""

    def __init__(self, inputs: int, modules: int, part: InceptionTime, dropout: Dropout) -> None:
        super().__init__()
        outputs = 4 * part.width
        self.inner = nn.ModuleList(_Inception(inputs if k == 0 else outputs, part) for k in range(modules))
        self.shortcut = _shortcut(inputs, outputs, part.normalization)
        self.activation, self.dropout = ACTIVATIONS[part.activation](), dropout

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Maps (n, outputs, time), 0 behind the end."""
        found = maps
        for module in self.inner:
            found = module(found, mask)
        output: Tensor = self.activation(self.dropout(found) + self.shortcut(maps)) * mask
        return output


class _Inception(nn.Module):
    """Convolutions over 9, 19 and 39 steps of a narrow map, and one over the greatest of three neighbours."""

    def __init__(self, inputs: int, part: InceptionTime) -> None:
        super().__init__()
        width, bare = part.width, part.normalization == "none"
        self.bottleneck = convolution(inputs, width, 1) if inputs > width else nn.Identity()
        narrow = min(inputs, width)
        self.sizes = nn.ModuleList(convolution(narrow, width, size, part.activation, bare) for size in KERNELS)
        self.beside = convolution(inputs, width, 1, part.activation, bare)
        self.norm, self.activation = norm(part.normalization, 4 * width), ACTIVATIONS[part.activation]()

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Maps (n, 4 · width, time), 0 behind the end."""
        narrow = self.bottleneck(maps)
        near = F.max_pool1d(maps.masked_fill(mask == 0, float("-inf")), 3, 1, 1).masked_fill(mask == 0, 0.0)
        found = torch.cat([*(layer(narrow) for layer in self.sizes), self.beside(near)], dim=1)
        output: Tensor = self.activation(self.norm(found)) * mask
        return output


def _shortcut(inputs: int, outputs: int, normalization: StepNormalization) -> nn.Module:
    if inputs == outputs:
        return norm(normalization, outputs)
    return nn.Sequential(convolution(inputs, outputs, 1, bias=normalization == "none"), norm(normalization, outputs))
