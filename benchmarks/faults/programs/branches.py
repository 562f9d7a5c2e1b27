"""Models with two inputs, by position or by name, and with two outputs and a loss of several terms."""

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from programs.data import digits, loader
from programs.program import Given, Program


class TwoTables(nn.Module):
    """Two groups of columns, a branch for each."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 24), nn.Linear(7, 24)
        self.join = nn.Sequential(nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 3))
        self.fault = fault

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        left, right = F.relu(self.left(first)), F.relu(self.right(second))
        if self.fault == "the left branch joined twice":
            right = left
        if self.fault == "the right branch detached":
            right = right.detach()
        if self.fault == "the right branch times nought":
            right = right * 0.0
        logits = self.join(torch.cat([left, right], 1))
        return logits.sigmoid() if self.fault == "sigmoid before cross entropy" else logits


def two_tables(fault: str | None) -> Given:
    """Two inputs by position: (first, second, class)."""
    x, y = load_wine(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=7)
    scaler = StandardScaler().fit(x)
    x = scaler.transform(x)
    own = fault == "dev scaled by its own largest values"
    dev_x = dev_x / dev_x.max(0) if own else scaler.transform(dev_x)
    model = TwoTables(fault)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x[:, :6], x[:, 6:], y, batch=16, shuffle=True),
        "dev": loader(dev_x[:, :6], dev_x[:, 6:], dev_y, batch=16),
        "optimizer": torch.optim.Adam(model.parameters(), lr=5e-3),
    }


class Named(Dataset[Any]):
    """Upper and lower half of digits, by name."""

    def __init__(self, images: np.ndarray, y: np.ndarray, swapped: bool = False) -> None:
        halves = torch.tensor(images / 16, dtype=torch.float32).unsqueeze(1).split(4, 2)
        self.upper, self.lower = halves[::-1] if swapped else halves
        self.y = torch.tensor(y)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"upper": self.upper[index], "lower": self.lower[index], "labels": self.y[index]}


class Halves(nn.Module):
    """A convolution for either half of a digit."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.above, self.below = nn.Conv2d(1, 12, 3, padding=1), nn.Conv2d(1, 12, 3, padding=1)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24 * 8, 32), nn.ReLU(), nn.Linear(32, 10))
        self.fault = fault

    def forward(self, upper: Tensor, lower: Tensor) -> Tensor:
        above = F.max_pool2d(F.relu(self.above(upper)), 2)
        below = F.max_pool2d(F.relu(self.below(upper if self.fault == "the upper half read twice" else lower)), 2)
        return self.head(torch.cat([above, below], 1))


def halves(fault: str | None) -> Given:
    """Two inputs by name in a dict, with `labels`."""
    x, dev_x, y, dev_y = digits()
    if fault == "a fifth of train in dev":
        dev_x, dev_y = np.concatenate([dev_x, x[:269]]), np.concatenate([dev_y, y[:269]])
    if fault == "rows copied with other labels":
        x = np.concatenate([x, x[:700]])
        y = np.concatenate([y, (y[:700] + np.random.default_rng(0).integers(1, 10, 700)) % 10])
    model = Halves(fault)
    return {
        "model": model,
        "loss": lambda out, labels: F.cross_entropy(out, labels),
        "train": DataLoader(Named(x, y), batch_size=32, shuffle=True),
        "dev": DataLoader(Named(dev_x, dev_y, swapped=fault == "halves swapped in dev"), batch_size=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


class Both(Dataset[Any]):
    """Digits with two targets: the class and how much ink there is."""

    def __init__(self, images: np.ndarray, y: np.ndarray, fault: str | None) -> None:
        ink = images.sum((1, 2))
        if fault != "the second target not scaled":
            ink = (ink - 312.6) / 35.0
        self.x, self.y = torch.tensor(images.reshape(len(images), -1) / 16, dtype=torch.float32), torch.tensor(y)
        self.ink = torch.tensor(ink, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.x[index], (self.y[index], self.ink[index])


class TwoHeads(nn.Module):
    """One body, a head that classifies and a head for a value."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.kind, self.ink = nn.Linear(64, 10), nn.Linear(64, 1)
        self.fault = fault

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(x)
        kind, ink = self.kind(hidden), self.ink(hidden)
        if self.fault == "softmax in the first head":
            kind = kind.softmax(1)
        return kind, ink if self.fault == "the value (N, 1) against (N,)" else ink.squeeze(1)


def two_heads(fault: str | None) -> Given:
    """A composite loss: cross entropy plus half the squared error."""
    x, dev_x, y, dev_y = digits()

    def loss(out: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        kind = F.cross_entropy(out[0], target[0])
        ink = ((out[1] - target[1]) ** 2).mean()
        if fault == "the second term never added":
            return kind
        if fault == "the second term subtracted":
            return kind - 0.5 * ink
        if fault == "the second term a number":
            return kind + 0.5 * ink.item()
        return kind + 0.5 * ink

    model = TwoHeads(fault)
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(Both(x, y, fault), batch_size=64, shuffle=True),
        "dev": DataLoader(Both(dev_x, dev_y, fault), batch_size=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = (
    Program(
        "two tables",
        "branches",
        two_tables,
        {
            "the left branch joined twice": ("SY213", "SY203"),
            "the right branch detached": ("SY203", "SY410"),
            "the right branch times nought": ("SY213", "SY203"),
            "sigmoid before cross entropy": ("SY201", "SY219"),
            "dev scaled by its own largest values": ("SY602",),
        },
    ),
    Program(
        "halves",
        "branches",
        halves,
        {
            "the upper half read twice": ("SY213",),
            "a fifth of train in dev": ("SY603",),
            "rows copied with other labels": ("SY108",),
            "halves swapped in dev": ("SY608", "SY602"),
        },
    ),
    Program(
        "two heads",
        "branches",
        two_heads,
        {
            "the second target not scaled": ("SY106",),
            "softmax in the first head": ("SY201",),
            "the value (N, 1) against (N,)": ("SY202",),
            "the second term never added": ("SY214", "SY203"),
            "the second term subtracted": ("SY215",),
            "the second term a number": ("SY214", "SY203", "SY405"),
        },
    ),
)
