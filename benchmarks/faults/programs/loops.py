"""Training loops of one's own: a step with its own order, accumulation, schedules, averages."""

import copy
from typing import Any

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import digits, loader
from programs.program import Given, Program


def closing(fault: str | None) -> Given:
    """`step(batch)` closes over model and optimizer; SGD, a schedule by epochs."""
    x, dev_x, y, dev_y = digits()
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10)
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)

    def step(batch: list[Tensor]) -> Tensor:
        x, y = batch
        if fault == "the model in evaluation mode":
            model.eval()
        else:
            model.train()
        if fault != "zero_grad missing":
            optimizer.zero_grad()
        loss = criterion(model(x), y)
        if fault == "loss wrapped anew":
            loss = torch.tensor(loss.item(), requires_grad=True)
        loss.backward()
        if fault == "gradients clipped by value to 1e-7":
            nn.utils.clip_grad_value_(model.parameters(), 1e-7)
        if fault != "optimizer.step missing":
            optimizer.step()
        if fault == "a schedule by epochs stepped every batch":
            schedule.step()
        return loss

    return {
        "model": model,
        "loss": criterion,
        "train": loader(x / 16, y, batch=32, shuffle=True, drop_last=True),
        "dev": loader(dev_x / 16, dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


def accumulating(fault: str | None) -> Given:
    """`step(model, batch, optimizer)` collects gradients of four parts of a batch."""
    x, y = load_breast_cancer(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.25, random_state=5)
    scaler = StandardScaler().fit(x)
    model = nn.Sequential(nn.Linear(30, 24), nn.ELU(), nn.Linear(24, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e3 if fault == "learning rate of 1000" else 0.1)

    def step(model: nn.Module, batch: list[Tensor], optimizer: torch.optim.Optimizer) -> Tensor:
        model.train()
        total = torch.zeros(())
        if fault != "gradients never set to zero":
            optimizer.zero_grad()
        for x, y in zip(batch[0].chunk(4), batch[1].chunk(4), strict=True):
            loss = F.cross_entropy(model(x), y) / 4
            loss.backward()
            total += loss.detach()
        if fault == "zero_grad between backward and step":
            optimizer.zero_grad()
        optimizer.step()
        return total

    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": loader(scaler.transform(x), y, batch=64, shuffle=True, drop_last=True),
        "dev": loader(scaler.transform(dev_x), dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


class ConvNet(nn.Module):
    """A convolution and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3)
        self.head = nn.Linear(144, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.max_pool2d(F.relu(self.conv(x)), 2).flatten(1))


def averaging(fault: str | None) -> Given:
    """`step(model, optimizer, x, y)` that goes on and keeps a moving average of the weights."""
    x, dev_x, y, dev_y = digits()
    model = ConvNet()
    average = copy.deepcopy(model).requires_grad_(False)
    trained: Any = copy.deepcopy(model) if fault == "the optimizer holds a copy of the model" else model
    rate = 1e-9 if fault == "learning rate of 1e-9" else 5e-3
    optimizer = torch.optim.Adam(trained.parameters(), lr=rate)

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        if fault != "backward forgotten":
            loss.backward()
        optimizer.step()
        with torch.no_grad():
            for kept, new in zip(average.parameters(), model.parameters(), strict=True):
                kept.lerp_(new, 0.05)
        return loss

    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": loader(x[:, None] / 16, y, batch=32, shuffle=True),
        "dev": loader(dev_x[:, None] / 16, dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


PROGRAMS = (
    Program(
        "closing step",
        "loops",
        closing,
        {
            "the model in evaluation mode": ("SY609",),
            "zero_grad missing": ("SY407",),
            "loss wrapped anew": ("SY203", "SY405", "SY408"),
            "gradients clipped by value to 1e-7": ("SY409",),
            "optimizer.step missing": ("SY408",),
            "a schedule by epochs stepped every batch": ("SY503", "SY408", "SY504"),
        },
    ),
    Program(
        "accumulating",
        "loops",
        accumulating,
        {
            "gradients never set to zero": ("SY407",),
            "zero_grad between backward and step": ("SY408",),
            "learning rate of 1000": ("SY502", "SY505", "SY506"),
        },
    ),
    Program(
        "averaging",
        "loops",
        averaging,
        {
            "the optimizer holds a copy of the model": ("SY204", "SY408"),
            "learning rate of 1e-9": ("SY503", "SY408"),
            "backward forgotten": ("SY408", "SY203"),
        },
    ),
)
