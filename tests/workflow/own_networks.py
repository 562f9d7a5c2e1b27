"""Networks such as users bring, for tests that hand them to a run."""

from typing import Any

import torch
from torch import Tensor, nn


class Plain(nn.Module):
    """A multilayer perceptron that knows nothing of the package."""

    def __init__(self, inputs: int, outputs: int, width: int = 16, rate: float = 0.1) -> None:
        super().__init__()
        layers = [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(rate), nn.Linear(width, outputs)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Parted(nn.Module):
    """Numbers and codes as two arguments; the embeddings are tied, so that two names share their memory."""

    def __init__(self, shape: Any, outputs: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(many, 3) for many in shape.cardinalities)
        self.same = self.embeddings
        self.last = nn.Linear(shape.numbers + 3 * len(shape.cardinalities), outputs)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        assert codes.dtype == torch.int64
        found = [layer(codes[:, j]) for j, layer in enumerate(self.embeddings)]
        return self.last(torch.cat([numbers, *found], dim=1))


def build(shape: Any, outputs: int) -> nn.Module:
    return Plain(shape.width, outputs)


def parted(outputs: int, shape: Any) -> nn.Module:
    return Parted(shape, outputs)


def pictures(shape: Any, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(shape.channels, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, outputs),
    )


def lazy() -> nn.Module:
    """The number of inputs is found, that of outputs is fixed."""
    return nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.Linear(8, 2))


def weightless() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(2))


def wide(shape: Any, outputs: int) -> nn.Module:
    return nn.Linear(shape.width, outputs + 7)


def narrow() -> nn.Module:
    return nn.Linear(3, 2)


def broken() -> nn.Module:
    raise ValueError("no such layer")


def three(a: int, b: int, c: int) -> nn.Module:
    return nn.Linear(a, b + c)


def number() -> int:
    return 3


NOTHING = 3
