"""Small layers that every network shares: activations with their gains, dropout whose rate can change, first values."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["selu", "mish", "relu", "gelu", "silu"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "selu": nn.SELU,
    "mish": nn.Mish,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}

# 1 / sqrt(E f(z)^2) for a standard normal z: with weights of spread gain / sqrt(inputs) every layer keeps the second
# moment of its inputs (He et al. 2015, section 2.2, arXiv 1502.01852).
GAINS: dict[str, float] = {"selu": 1.0, "mish": 1.4868, "relu": math.sqrt(2), "gelu": 1.5335, "silu": 1.6765}


class Dropout(nn.Module):
    """Zeroes each value with probability `p` in training and scales the rest; `p` may be changed between steps.

    At p = 0 it is strictly nothing: the input itself comes back and no random number is drawn.
    Source: Srivastava et al. 2014, "Dropout", section 4.
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return nn.functional.dropout(x, self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


def linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    """A linear layer with normal weights of spread gain / sqrt(inputs) and no offset."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(max(inputs, 1)))
    nn.init.zeros_(layer.bias)
    return layer


def head(inputs: int, outputs: int) -> nn.Linear:
    """The last layer: weights a hundredth of the usual, so that first outputs are near 0 (even odds, mean target)."""
    return linear(inputs, outputs, 0.01)


class Scale(nn.Module):
    """One learnt factor per feature, starting at 1; it learns `speed` times as fast as the optimizer's rate.

    A soft choice of features. Source: Holzmüller et al. 2024, section 3 (arXiv 2407.04491).
    """

    def __init__(self, features: int, speed: float = 6.0) -> None:
        super().__init__()
        self.speed = speed
        self.shift = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.speed * self.shift)
