"""Small networks and loops for the doctor to watch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from programs import blobs
from torch import nn
from torch.nn import functional as F

from steelyard.doctor.live import Doctor

Loss = Callable[[nn.Module, Any], torch.Tensor]


def classes(model: nn.Module, batch: Any) -> torch.Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def squares(model: nn.Module, batch: Any) -> torch.Tensor:
    return F.mse_loss(model(batch[0]).squeeze(-1), batch[1])


def nothing(_: Any) -> None:
    """Findings are read afterwards."""


def watched(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Any] | None = None,
    loss_of: Loss = classes,
    epochs: int = 60,
    *,
    schedule: Callable[[int], float] | None = None,
    accumulate: int = 1,
    clip: float | None = None,
    **options: Any,
) -> Doctor:
    """Train it as users do; the doctor that watched."""
    batches = blobs() if batches is None else batches
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule) if schedule else None
    with Doctor(model, optimizer, **{"on_finding": nothing} | options) as doctor:
        for k in range(epochs * len(batches)):
            loss = loss_of(model, batches[k % len(batches)])
            (loss / accumulate).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            if (k + 1) % accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
                if scheduler is not None:
                    scheduler.step()
            doctor.step(loss)
    return doctor


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return build()


def images() -> list[Any]:
    """A bright band at one of four heights."""
    random = torch.Generator().manual_seed(0)
    y = torch.randint(4, (192,), generator=random)
    x = torch.randn(192, 1, 12, 12, generator=random)
    for row, band in enumerate(y.tolist()):
        x[row, 0, 3 * band : 3 * band + 3] += 1
    return list(zip(x.split(32), y.split(32), strict=True))


def tokens() -> list[Any]:
    """The class is whether the first token is a high one."""
    x = torch.randint(20, (192, 7), generator=torch.Generator().manual_seed(0))
    return list(zip(x.split(32), (x[:, 0] > 9).long().split(32), strict=True))


class Convolutions(nn.Module):
    """Activations are functions, as in many networks written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.two, self.head = nn.Conv2d(8, 16, 3, padding=1), nn.Linear(144, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.one(x))), 2)
        return self.head(F.max_pool2d(F.relu(self.two(x)), 2).flatten(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.read, self.head = nn.Embedding(20, 8), nn.GRU(8, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(self.embed(x))[1][0])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.embed, self.read, self.head = nn.Embedding(20, 16), nn.TransformerEncoder(layer, 2), nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(self.embed(x)).mean(1))


class Logarithm(nn.Module):
    """Takes the logarithm of what can be zero."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(10, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(torch.log(torch.relu(self.one(x))))
