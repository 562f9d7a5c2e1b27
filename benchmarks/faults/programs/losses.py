"""Losses of one's own: focal, smoothed, squared classes, weighted."""

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import digits, loader, tensors
from programs.program import Given, Program


class FocalLoss(nn.Module):
    """Focal loss (Lin et al. 2017, arXiv 1708.02002) of logits."""

    def __init__(self, gamma: float, fault: str | None) -> None:
        super().__init__()
        self.gamma, self.fault = gamma, fault

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        log_chance = F.log_softmax(out, dim=1).gather(1, y[:, None]).squeeze(1)
        loss = -((1 - log_chance.exp()) ** self.gamma) * log_chance
        if self.fault == "minus forgotten":
            loss = -loss
        return loss.sum() if self.fault == "summed in the module" else loss.mean()


def focal(fault: str | None) -> Given:
    """A focal loss as a module, AdamW."""
    x, y = load_breast_cancer(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=8)
    scaler = StandardScaler().fit(x)
    layers: list[nn.Module] = [nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2)]
    if fault == "softmax in the model too":
        layers.append(nn.Softmax(dim=1))
    model = nn.Sequential(*layers)
    return {
        "model": model,
        "loss": FocalLoss(2.0, fault),
        "train": loader(scaler.transform(x), y, batch=32, shuffle=True),
        "dev": loader(scaler.transform(dev_x), dev_y, batch=64),
        "optimizer": torch.optim.AdamW(model.parameters(), lr=3e-3),
    }


class Chances(nn.Module):
    """Probabilities, made by the model."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        scores = self.net(x)
        if self.fault == "chances by ReLU, their logarithm of nought":
            return F.relu(scores) / F.relu(scores).sum(1, keepdim=True)
        return scores if self.fault == "softmax forgotten" else F.softmax(scores, dim=1)


def one_hot_entropy(out: Tensor, y: Tensor) -> Tensor:
    """Cross entropy of probabilities and one-hot targets, by hand."""
    return -(y * torch.log(out)).sum(1).mean()


def by_hand(fault: str | None) -> Given:
    """Probabilities out of the model, one-hot targets, cross entropy by hand: sound, if unusual."""
    x, y = load_wine(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=9)
    scaler = StandardScaler().fit(x)
    model = Chances(fault)
    loss: Any = one_hot_entropy
    if fault == "the minus taken twice":
        loss = lambda out, y: -(-(y * torch.log(out)).sum(1)).mean()  # noqa: E731
    if fault == "a loss that torch's cross entropy finishes":
        loss = lambda out, y: F.cross_entropy(out, y)  # noqa: E731
    return {
        "model": model,
        "loss": loss,
        "train": loader(scaler.transform(x), np.eye(3)[y], batch=16, shuffle=True),
        "dev": loader(scaler.transform(dev_x), np.eye(3)[dev_y], batch=16),
        "optimizer": torch.optim.Adam(model.parameters(), lr=1e-2),
    }


def smoothed(fault: str | None) -> Given:
    """Label smoothing as a nested function with a penalty on the outputs."""
    x, dev_x, y, dev_y = digits()
    x, dev_x, y, dev_y = tensors(x.reshape(len(x), -1) / 16, dev_x.reshape(len(dev_x), -1) / 16, y, dev_y)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        if fault == "softmax in the loss":
            out = F.softmax(out, dim=1)
        classes = out.shape[1]
        target = F.one_hot(y, classes) * 0.9 + 0.1 / classes
        entropy = -(target * F.log_softmax(out, dim=1)).sum(1).mean()
        if fault == "the entropy turned in sign":
            entropy = -entropy
        penalty = 1e-4 * (out**2).mean()
        if fault == "entropy detached, the penalty alone is learnt":
            entropy = entropy.detach()
        return entropy + penalty

    if fault == "labels of three classes swapped in dev":
        dev_y = torch.tensor([1, 2, 0, 3, 4, 5, 6, 7, 8, 9])[dev_y]
    model = nn.Sequential(nn.Linear(64, 96), nn.PReLU(), nn.Linear(96, 10))
    return {
        "model": model,
        "loss": loss,
        "train": list(zip(x.split(50), y.split(50), strict=True)),
        "dev": list(zip(dev_x.split(50), dev_y.split(50), strict=True)),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


def as_values(fault: str | None) -> Given:
    """One-hot targets with squared errors (Brier score): sound; class codes as values are not."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x.reshape(len(x), -1) / 8 - 1, dev_x.reshape(len(dev_x), -1) / 8 - 1
    codes = fault == "class codes as values"
    outputs = 1 if codes else 10
    layers: list[nn.Module] = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)]
    layers.append(nn.Flatten(0) if codes else nn.Softmax(dim=1))
    if fault == "dead from the start":
        nn.init.constant_(layers[0].bias, -40.0)  # type: ignore[arg-type]
    model = nn.Sequential(*layers)
    targets, dev_targets = (each.astype(float) if codes else np.eye(10)[each] for each in (y, dev_y))
    return {
        "model": model,
        "loss": F.mse_loss,
        "train": loader(x, targets, batch=32, shuffle=True),
        "dev": loader(dev_x, dev_targets, batch=32),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = (
    Program(
        "focal",
        "losses",
        focal,
        {
            "minus forgotten": ("SY215",),
            "summed in the module": ("SY212",),
            "softmax in the model too": ("SY201",),
        },
    ),
    Program(
        "by hand",
        "losses",
        by_hand,
        {
            "chances by ReLU, their logarithm of nought": ("SY401", "SY506", "SY209"),
            "softmax forgotten": ("SY209", "SY401", "SY506"),
            "the minus taken twice": ("SY215",),
            "a loss that torch's cross entropy finishes": ("SY201",),
        },
    ),
    Program(
        "smoothed",
        "losses",
        smoothed,
        {
            "softmax in the loss": ("SY201",),
            "the entropy turned in sign": ("SY215",),
            "entropy detached, the penalty alone is learnt": ("SY203", "SY405", "SY215"),
            "labels of three classes swapped in dev": ("SY608",),
        },
    ),
    Program(
        "squared",
        "losses",
        as_values,
        {
            "class codes as values": ("SY216",),
            "dead from the start": ("SY403",),
        },
    ),
)
