"""A small residual convolutional network for images of any size, made for one CPU thread."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steelyard.data.prepared import ImageShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.layers import Dropout, head
from steelyard.parts import Network

FIRST_MAP = 16  # the stem halves images until their longer side is at most this: early maps cost the most
LAST_MAP = 2


@dataclass(frozen=True)
class ResidualCnn(Network):
    """A stem, then stages of `depth` residual blocks; each stage halves the map and doubles the channels from `width`.

    The stem halves images to at most 16 pixels a side, stages follow until the map is 2 pixels; the mean over the map
    feeds the head, so that images of another size than the first ones can be predicted too. `precision` = "bfloat16"
    computes training steps in bfloat16 (weights stay float32): faster where the processor multiplies
    such matrices in hardware, slower elsewhere. Predictions are always float32.
    Source: He et al. 2016 (arXiv 1512.03385), with averaged shortcuts (He et al. 2019, section 4, arXiv 1812.01187).
    """

    width: int = knob(16, 1, 1024)
    depth: int = knob(1, 1, 32)
    dropout: Knob = knob(0.0, 0.0, 0.95)
    precision: Literal["float32", "bfloat16"] = "float32"

    def build(self, shape: ImageShape, outputs: int) -> nn.Module:
        """A network from images (n, c, h, w) in 0..255 to (n, outputs) logits or values."""
        network = Cnn(self, shape, outputs)
        for weight in network.parameters():
            if weight.ndim == 4:  # convolutions on a CPU like channels last
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        return network


class Cnn(nn.Module):
    """`encode` standardises images, `forward` turns them to (n, outputs)."""

    mean: Tensor
    std: Tensor

    def __init__(self, part: ResidualCnn, shape: ImageShape, outputs: int) -> None:
        super().__init__()
        self.halved = part.precision == "bfloat16"
        self.register_buffer("mean", torch.tensor(shape.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(shape.std).view(1, -1, 1, 1))
        halvings, stages = plan(max(shape.height, shape.width))
        self.stem = _stem(shape.channels, part.width, halvings)
        blocks, channels = list[nn.Module](), part.width
        for stage in range(stages):
            for block in range(part.depth):
                halve = stage > 0 and block == 0
                blocks.append(Block(channels, channels * 2 if halve else channels, halve))
                channels *= 2 if halve else 1
        self.blocks = nn.Sequential(*blocks)
        self.dropout = Dropout(value(part.dropout, 0.0))
        self.head = head(channels, outputs)

    def encode(self, images: Tensor) -> Tensor:
        """Images (n, c, h, w) in 0..255, uint8 or float, to float32 with mean 0 and spread 1 per channel."""
        standard = (images.float() - self.mean) / self.std
        return standard.contiguous(memory_format=torch.channels_last)

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs), float32."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.halved and self.training):
            maps = self.blocks(self.stem(features))
        output: Tensor = self.head(self.dropout(maps.float().mean((2, 3))))
        return output


class Block(nn.Module):
    """Two 3×3 convolutions around which the input is added; the second norm starts at 0, the block as its shortcut.

    Source: He et al. 2016 (arXiv 1512.03385); the start is Goyal et al. 2017, section 5.1 (arXiv 1706.02677).
    """

    def __init__(self, inputs: int, outputs: int, halve: bool) -> None:
        super().__init__()
        first, last = _convolution(inputs, outputs, 2 if halve else 1), _convolution(outputs, outputs)
        nn.init.zeros_(last[1].weight)
        self.body = nn.Sequential(*first, nn.ReLU(inplace=True), *last)
        self.shortcut = nn.Sequential(*_shortcut(inputs, outputs, halve))
        self.activation = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, outputs, h, w), half the size (rounded up) if the block halves."""
        output: Tensor = self.activation(self.body(maps) + self.shortcut(maps))
        return output


def plan(side: int) -> tuple[int, int]:
    """How often the stem halves an image of that longer side, and how many stages follow."""
    halvings = 0
    while side > FIRST_MAP:
        side, halvings = -(-side // 2), halvings + 1
    stages = 1
    while side > LAST_MAP:
        side, stages = -(-side // 2), stages + 1
    return halvings, stages


def _stem(channels: int, width: int, halvings: int) -> nn.Sequential:
    layers = list[nn.Module]()
    for stride in [2] * halvings or [1]:
        layers += [*_convolution(channels, width, stride), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def _convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer, nn.BatchNorm2d(outputs)


def _shortcut(inputs: int, outputs: int, halve: bool) -> list[nn.Module]:
    pool: list[nn.Module] = [nn.AvgPool2d(2, ceil_mode=True)] if halve else []
    return [*pool, *_convolution(inputs, outputs, size=1)] if inputs != outputs else pool
