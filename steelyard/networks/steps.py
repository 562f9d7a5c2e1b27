"""What networks for series share: gaps and ends made visible, convolutions over time, maps that respect the end.

Features of a series are (n, channels + 1, time): its values with 0 where one is missing, and as the last channel the
share of channels that have a value at a step. Behind the end of a case everything is 0, as it is outside a convolution.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.networks.layers import GAINS

StepNormalization = Literal["batch", "group", "none"]
StepActivation = Literal["relu", "gelu", "silu", "mish", "elu", "leaky-relu"]


def visible(x: Tensor) -> Tensor:
    """Features float32 (n, channels + 1, time) of a series (n, channels, time) with NaN for missing."""
    there = ~torch.isnan(x)
    share = there.to(torch.float32).mean(1, keepdim=True)
    return torch.cat([torch.where(there, x, torch.zeros_like(x)), share], dim=1)


def alive(features: Tensor) -> Tensor:
    """Mask (n, 1, time) of features: 1 up to the last step at which there is a value, 0 behind the end of a case."""
    there = (features[:, -1:] > 0).to(torch.float32)
    return there.flip(-1).cummax(-1).values.flip(-1)


class GroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` over channels alone, step by step, so that steps behind an end have no say."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, time = x.shape
        flat = x.transpose(1, 2).reshape(n * time, channels)
        normed = F.group_norm(flat, self.num_groups, self.weight, self.bias, self.eps)
        return normed.view(n, time, channels).transpose(1, 2)


def norm(kind: StepNormalization, channels: int) -> nn.Module:
    """The norm after a convolution (batch: Ioffe & Szegedy 2015, arXiv 1502.03167; group: Wu & He 2018, 1803.08494)."""
    if kind == "none":
        return nn.Identity()
    return nn.BatchNorm1d(channels) if kind == "batch" else GroupNorm(1, channels)


def convolution(inputs: int, outputs: int, size: int, activation: str = "relu", bias: bool = False) -> nn.Conv1d:
    """A convolution over an odd number of steps that keeps the length, with first values matched to the activation."""
    layer = nn.Conv1d(inputs, outputs, size, padding=size // 2, bias=bias)
    nn.init.normal_(layer.weight, std=GAINS[activation] / math.sqrt(inputs * size))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def halved(maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (n, channels, time) at half the length, pairs of steps averaged as far as they are there, and their mask."""
    share = F.avg_pool1d(mask, 2, ceil_mode=True)
    mean = F.avg_pool1d(maps * mask, 2, ceil_mode=True) / share.clamp(min=0.5)
    return mean, (share > 0).to(mask.dtype)
