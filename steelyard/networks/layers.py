"""Small layers that every network shares: activations and first values matched to them, dropout, the last layer.

Layers of our own that are `stackable` accept parameters and inputs with an axis of members in front, so that
networks of the same shapes can train together.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["selu", "mish", "relu", "gelu", "silu", "elu", "leaky-relu", "hardswish", "tanh", "sigmoid"]
Initialization = Literal["matched", "lecun", "xavier", "orthogonal"]
Normalization = Literal["none", "batch", "layer"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "selu": nn.SELU,
    "mish": nn.Mish,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "leaky-relu": nn.LeakyReLU,
    "hardswish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

# 1 / sqrt(E f(z)^2) for a standard normal z: with weights of spread gain / sqrt(inputs) every layer keeps the second
# moment of its inputs (He et al. 2015, section 2.2, arXiv 1502.01852).
GAINS: dict[str, float] = {
    "selu": 1.0,
    "mish": 1.4868,
    "relu": math.sqrt(2),
    "gelu": 1.5335,
    "silu": 1.6765,
    "elu": 1.2452,
    "leaky-relu": 1.4141,
    "hardswish": 1.7367,
    "tanh": 1.5925,
    "sigmoid": 1.8462,
}


class Dropout(nn.Module):
    """Zeroes each value with probability `p` in training and scales the rest; `p` may be changed between steps.

    `knob` names the knob of the recipe that `p` follows. The layer's own rate is `share` of it: layers of one network
    may follow the same knob at different strengths. With `whole` all values of an example are zeroed together.
    Random numbers come from `stream`, or from torch's global stream where there is none. At p = 0 it is strictly
    nothing: the input itself comes back and no random number is drawn.
    Source: Srivastava et al. 2014, "Dropout", section 4.
    """

    stream: torch.Generator | None = None

    def __init__(self, p: float = 0.0, knob: str = "dropout", whole: bool = False, share: float = 1.0) -> None:
        super().__init__()
        self.p, self.knob, self.whole, self.share = p, knob, whole, share

    def draw(self, x: Tensor) -> Tensor | None:
        """What one network's values (n, …) are multiplied by: 0 or 1/(1-p), one factor a value or an example."""
        p = self.p * self.share
        if p == 0:
            return None
        shape = (len(x), *[1] * (x.ndim - 1)) if self.whole else x.shape
        kept = torch.rand(shape, generator=self.stream, device=x.device).ge_(p)  # faster than drawing from Bernoulli
        return kept.to(x.dtype).div_(1 - p)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        factor = self.draw(x)
        return x if factor is None else x * factor

    def extra_repr(self) -> str:
        return f"p={self.p:g}, knob={self.knob}" + (", whole" if self.whole else "")


class Head(nn.Linear):
    """A last layer that computes in float32 even where the rest of the network is cast to a shorter type.

    Source: Micikevicius et al. 2018, section 3.3 (arXiv 1710.03740): what feeds a softmax wants full precision.
    """

    def forward(self, x: Tensor) -> Tensor:
        kind = x.device.type
        if not torch.is_autocast_enabled(kind):
            return F.linear(x, self.weight, self.bias)
        with torch.autocast(kind, enabled=False):
            return F.linear(x.float(), self.weight, self.bias)


def initialize(weight: Tensor, gain: float, init: Initialization = "matched") -> None:
    """Fill a matrix (outputs, inputs) with first values; `gain` is that of the activation its inputs come from.

    `matched`: normal with spread gain / sqrt(inputs) (He et al. 2015, section 2.2, arXiv 1502.01852).
    `lecun`: the same without the gain (LeCun et al. 1998, "Efficient BackProp", section 4.6).
    `xavier`: uniform with variance 2 / (inputs + outputs) (Glorot & Bengio 2010, equation 16).
    `orthogonal`: rows or columns at right angles (Saxe et al. 2014, arXiv 1312.6120), scaled so that the
    second moment of the inputs is kept as by `matched`.
    """
    outputs, inputs = weight.shape
    if weight.numel() == 0:
        return
    if init == "xavier":
        nn.init.xavier_uniform_(weight)
    elif init == "orthogonal":
        nn.init.orthogonal_(weight, gain * math.sqrt(max(1.0, outputs / inputs)))
    else:
        nn.init.normal_(weight, std=(gain if init == "matched" else 1.0) / math.sqrt(inputs))


def linear(inputs: int, outputs: int, gain: float, init: Initialization = "matched", bias: bool = True) -> nn.Linear:
    """A linear layer with first values matched to the activation before it, and no offset."""
    return _filled(nn.Linear(inputs, outputs, bias), gain, init)


def head(inputs: int, outputs: int) -> Head:
    """The last layer: weights a hundredth of the usual, so that first outputs are near 0 (even odds, mean target)."""
    layer = Head(inputs, outputs)
    _filled(layer, 0.01, "matched")
    return layer


def _filled(layer: nn.Linear, gain: float, init: Initialization) -> nn.Linear:
    initialize(layer.weight, gain, init)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Scale(nn.Module):
    """One learnt factor per feature, starting at 1; it learns `speed` times as fast as the optimizer's rate.

    A soft choice of features. Source: Holzmüller et al. 2024, section 3 (arXiv 2407.04491).
    """

    stackable = True

    def __init__(self, features: int, speed: float = 6.0) -> None:
        super().__init__()
        self.speed = speed
        self.shift = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        shift = self.shift if self.shift.ndim == 1 else self.shift.unsqueeze(-2)
        return torch.addcmul(x, x, shift, value=self.speed)  # x·(1 + speed·shift) in one operator
