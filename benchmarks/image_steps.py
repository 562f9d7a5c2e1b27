"""Training steps of the residual network on images of noise, in a plain loop."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from steelyard.data.prepared import ImageShape
from steelyard.networks.image import ResidualCnn

CLASSES = 10


@dataclass(frozen=True)
class Case:
    """What is trained, on how many images a step, in which memory and number format."""

    channels: int
    side: int
    width: int = 16
    batch: int = 256
    channels_last: bool = True
    dtype: str = "float32"

    @property
    def images(self) -> str:
        return f"{self.side}×{self.side}, {'grey' if self.channels == 1 else 'colour'}"


def network(case: Case) -> torch.nn.Module:
    """The network of a case; the same weights every time."""
    torch.manual_seed(0)
    shape = ImageShape(case.channels, case.side, case.side, (128.0,) * case.channels, (64.0,) * case.channels)
    built = ResidualCnn(width=case.width).build(shape, CLASSES)
    if not case.channels_last:
        built.channels_last = False  # type: ignore[assignment]
        built.to(memory_format=torch.contiguous_format)
    return built


def images(case: Case, count: int) -> torch.Tensor:
    """uint8 (count, channels, side, side)."""
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, case.channels, case.side, case.side), generator=random, dtype=torch.uint8)


def trainer(case: Case) -> Callable[[], None]:
    """A function that takes one step on a batch of noise."""
    learn, batch = learner(case), images(case, case.batch)
    return lambda: learn(batch)


def learner(case: Case) -> Callable[[torch.Tensor], None]:
    """A function that takes one step on images uint8 (n, channels, side, side)."""
    trained = network(case).train()
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-3, fused=True)
    classes = torch.arange(case.batch) % CLASSES

    def region() -> AbstractContextManager[object]:
        return nullcontext() if case.dtype == "float32" else torch.autocast("cpu", getattr(torch, case.dtype))

    def learn(batch: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        with region():
            outputs = trained(trained.encode(batch))  # type: ignore[operator]
        cross_entropy(outputs, classes[: len(batch)]).backward()
        optimizer.step()

    return learn
