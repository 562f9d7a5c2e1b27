"""A small residual convolutional network for images of any size, made for one CPU thread."""

import copy
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steelyard.data.prepared import ImageShape
from steelyard.errors import UserError
from steelyard.knobs import Knob, knob, value
from steelyard.networks.convolutions import Block, ImageActivation, ImageNormalization, Style, stem
from steelyard.networks.layers import Dropout, head
from steelyard.networks.spatial import MapPooling, map_pooling
from steelyard.parts import Network

FIRST_MAP = 16  # the stem halves images until their longer side is at most this: early maps cost the most
LAST_MAP = 2


@dataclass(frozen=True)
class ResidualCnn(Network):
    """A stem, then stages of `depth` residual blocks; each stage halves the map and doubles the channels from `width`.

    The stem halves images to at most 16 pixels a side, stages follow until the map is 2 pixels; the mean over the map,
    or what else `pooling` makes of it (the maximum, a pyramid of 1 and 2×2 cells, a mean with learnt weights), feeds
    the head, so that images of another size than the first ones can be predicted too. `dropout` acts on what the head
    sees; `stochastic_depth` leaves out whole blocks of single examples, the last block at that rate and earlier ones at
    a rate that falls linearly to the input (Huang et al. 2016, equation 4, arXiv 1603.09382).
    Without `normalization` every block starts as its shortcut by a learnt factor, and the network wants a lower rate
    of learning.
    Source: He et al. 2016 (arXiv 1512.03385), with averaged shortcuts (He et al. 2019, section 4, arXiv 1812.01187).
    """

    width: int = knob(16, 1, 1024)
    depth: int = knob(1, 1, 32)
    dropout: Knob = knob(0.0, 0.0, 0.95)
    normalization: ImageNormalization = "batch"
    activation: ImageActivation = "relu"
    stochastic_depth: Knob = knob(0.0, 0.0, 0.95)
    pooling: MapPooling = "average"

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
    channels_last = True  # off where the code is mapped over members, which knows no memory formats

    def __init__(self, part: ResidualCnn, shape: ImageShape, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(shape.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(shape.std).view(1, -1, 1, 1))
        halvings, stages = plan(max(shape.height, shape.width))
        style, channels, count = Style(part.normalization, part.activation), part.width, stages * part.depth
        self.stem = stem(shape.channels, channels, halvings, style)
        blocks = list[nn.Module]()
        for number in range(count):
            halve = number > 0 and number % part.depth == 0
            wider = channels * 2 if halve else channels
            rate = value(part.stochastic_depth, 0.0)
            dropout = Dropout(rate, "stochastic_depth", whole=True, share=(number + 1) / count)
            blocks.append(Block(channels, wider, halve, style, dropout))
            channels = wider
        self.blocks = nn.Sequential(*blocks)
        self.dropout = Dropout(value(part.dropout, 0.0))
        self.pool = map_pooling(part.pooling, channels)
        self.represented = self.pool.features(channels)
        self.head = head(self.represented, outputs)

    def encode(self, images: Tensor) -> Tensor:
        """Images (n, c, h, w) in 0..255, uint8 or float, to float32 with mean 0 and spread 1 per channel."""
        n, c, h, w = images.shape
        if not self.channels_last or c == 1:
            return (images.float() - self.mean) / self.std
        # bytes change places quicker than floats, and long rows are computed quicker than three values at a time
        pixels = torch.stack(images.unbind(1), -1).view(n * h, w * c)
        pixels = pixels.to(torch.promote_types(torch.float32, self.mean.dtype))
        standard = pixels.sub_(self.mean.view(-1).repeat(w)).div_(self.std.view(-1).repeat(w))
        return standard.view(n, h, w, c).permute(0, 3, 1, 2)

    def represent(self, features: Tensor) -> Tensor:
        """What is pooled from the last map (n, represented)."""
        kept: Tensor = self.dropout(self.pool(self.blocks(self.stem(features))))
        return kept

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output

    def without(self, blocks: Collection[int]) -> "Cnn":
        """A copy from which the residual blocks of those numbers (from 0) are removed: only their shortcuts are left.

        It still predicts (Veit et al. 2016, section 4.1, arXiv 1605.06431). A number without a block is a UserError.
        """
        if unknown := set(blocks) - set(range(len(self.blocks))):
            raise UserError(f"the network has blocks 0 to {len(self.blocks) - 1}, got {min(unknown)}")
        smaller = copy.deepcopy(self)
        for number, block in enumerate(smaller.blocks):
            if number in blocks and isinstance(block, Block):
                smaller.blocks[number] = block.skipped()
        return smaller


def plan(side: int) -> tuple[int, int]:
    """How often the stem halves an image of that longer side, and how many stages follow."""
    halvings = 0
    while side > FIRST_MAP:
        side, halvings = -(-side // 2), halvings + 1
    stages = 1
    while side > LAST_MAP:
        side, stages = -(-side // 2), stages + 1
    return halvings, stages
