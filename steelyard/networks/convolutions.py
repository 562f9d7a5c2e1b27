"""Convolutions with their norms and first values, and the residual blocks that are made of them."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steelyard.networks.layers import ACTIVATIONS, GAINS, Dropout

ImageNormalization = Literal["batch", "group", "layer", "none"]
# no sigmoid: it would be taken of what it has already squashed, block after block
ImageActivation = Literal["selu", "mish", "relu", "gelu", "silu", "elu", "leaky-relu", "hardswish", "tanh"]

GROUPS = 32  # at most, of at least GROUP channels each
GROUP = 4


@dataclass(frozen=True)
class Style:
    """What all convolutions of a network have in common."""

    normalization: ImageNormalization
    activation: ImageActivation

    def activate(self) -> nn.Module:
        """The activation as a layer; in place where its gradient needs no more than its output."""
        return nn.ReLU(inplace=True) if self.activation == "relu" else ACTIVATIONS[self.activation]()

    def norm(self, channels: int) -> list[nn.Module]:
        """The norm after a convolution, or nothing.

        Batch: Ioffe & Szegedy 2015 (arXiv 1502.03167). Group: Wu & He 2018 (arXiv 1803.08494), of which layer is the
        form with one group.
        """
        if self.normalization == "none":
            return []
        if self.normalization == "batch":
            return [nn.BatchNorm2d(channels)]
        return [GroupNorm(groups(channels) if self.normalization == "group" else 1, channels)]

    def convolution(self, inputs: int, outputs: int, stride: int = 1, size: int = 3) -> list[nn.Module]:
        """A convolution and its norm, with first values matched to the activation.

        They keep the spread of the gradients on the way back; where no norm keeps that of the maps on the way
        forward, they do (He et al. 2015, section 2.2, arXiv 1502.01852).
        """
        bare = self.normalization == "none"
        layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=bare)
        nn.init.normal_(layer.weight, std=GAINS[self.activation] / math.sqrt((inputs if bare else outputs) * size**2))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
        return [layer, *self.norm(outputs)]

    def silenced(self, convolution: list[nn.Module]) -> list[nn.Module]:
        """A convolution whose output starts at 0: by the factor of its norm, or by one factor of its own.

        Sources: Goyal et al. 2017, section 5.1 (arXiv 1706.02677); De & Smith 2020, "SkipInit" (arXiv 2002.10444).
        """
        if self.normalization == "none":
            return [*convolution, Strength()]
        assert isinstance(convolution[1], nn.BatchNorm2d | nn.GroupNorm)
        nn.init.zeros_(convolution[1].weight)
        return convolution


class GroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` in a form that can be mapped over members: torch's own asks for the layout of its input."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, *sides = x.shape
        x = x.to(self.weight.dtype)
        x = x if x.device.type == "cpu" else x.contiguous()  # only the CPU takes channels last
        pixels = math.prod(sides)
        return torch.native_group_norm(x, self.weight, self.bias, n, channels, pixels, self.num_groups, self.eps)[0]


class Strength(nn.Module):
    """One learnt factor for all values, starting at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Block(nn.Module):
    """Two 3×3 convolutions around which the input is added; it starts as its shortcut.

    Stochastic depth leaves the convolutions of an example out with the rate of `dropout`.
    Sources: He et al. 2016 (arXiv 1512.03385), with averaged shortcuts (He et al. 2019, section 4, arXiv 1812.01187);
    Huang et al. 2016, section 3 (arXiv 1603.09382).
    """

    def __init__(self, inputs: int, outputs: int, halve: bool, style: Style, dropout: Dropout) -> None:
        super().__init__()
        first = style.convolution(inputs, outputs, 2 if halve else 1)
        last = style.silenced(style.convolution(outputs, outputs))
        self.body = nn.Sequential(*first, style.activate(), *last)
        self.dropout = dropout
        self.shortcut = nn.Sequential(*_shortcut(inputs, outputs, halve, style))
        self.activation = style.activate()

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, outputs, h, w), half the size (rounded up) if the block halves."""
        output: Tensor = self.activation(self.dropout(self.body(maps)) + self.shortcut(maps))
        return output

    def skipped(self) -> nn.Module:
        """What is left of the block without its convolutions."""
        return nn.Sequential(self.shortcut, self.activation)


def groups(channels: int) -> int:
    """Into how many groups of at least 4 channels a group norm divides that many: as many as it can, up to 32."""
    most = min(GROUPS, max(1, channels // GROUP))
    return next(number for number in range(most, 0, -1) if channels % number == 0)


def stem(channels: int, width: int, halvings: int, style: Style) -> nn.Sequential:
    """The first convolutions, which halve an image that often."""
    layers = list[nn.Module]()
    for stride in [2] * halvings or [1]:
        layers += [*style.convolution(channels, width, stride), style.activate()]
        channels = width
    return nn.Sequential(*layers)


def _shortcut(inputs: int, outputs: int, halve: bool, style: Style) -> list[nn.Module]:
    pool: list[nn.Module] = [nn.AvgPool2d(2, ceil_mode=True)] if halve else []
    return [*pool, *style.convolution(inputs, outputs, size=1)] if inputs != outputs else pool
