"""Datasets and loaders of many kinds: streams, lists, map-style, and what goes wrong on the way to the model."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, IterableDataset

from programs.data import digits, loader, tensors
from programs.program import Given, Program


class Stream(IterableDataset[Any]):
    """Rows one after another, shuffled anew by every pass through a buffer."""

    def __init__(self, x: np.ndarray, y: np.ndarray, fault: str | None, shuffled: bool = True) -> None:
        self.x, self.y = tensors(x, y)
        self.fault, self.shuffled = fault, shuffled

    def __iter__(self) -> Iterator[Any]:
        order = torch.randperm(len(self.x)) if self.shuffled else torch.arange(len(self.x))
        if self.fault == "the stream never moves on" and self.shuffled:
            order = order[:1].expand(len(order))
        for index in order:
            yield self.x[index], self.y[index]


def stream(fault: str | None) -> Given:
    """An IterableDataset of digits."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x[:, None] / 16, dev_x[:, None] / 16
    if fault == "one class after the other":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    if fault == "all labels read as nought":
        y, dev_y = np.zeros_like(y), np.zeros_like(dev_y)
    if fault == "the stream of labels begins one row late":
        y = np.concatenate([y[1:], y[:1]])
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10))
    train: Any = DataLoader(Stream(x, y, fault, shuffled=fault != "one class after the other"), batch_size=32)
    if fault == "a generator in place of a loader":
        train = (batch for batch in list(train))
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": train,
        "dev": DataLoader(Stream(dev_x, dev_y, None, shuffled=False), batch_size=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


def standardised(fault: str | None) -> Given:
    """Columns standardised by hand; some pixels never vary."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x.reshape(len(x), -1), dev_x.reshape(len(dev_x), -1)
    mean, std = x.mean(0), x.std(0)
    if fault == "divided by a deviation of nought":
        with np.errstate(all="ignore"):
            x, dev_x = (x - mean) / std, (dev_x - mean) / std
    elif fault == "dev standardised by three of its rows":
        x, dev_x = (x - mean) / (std + 1), (dev_x - dev_x[:3].mean(0)) / (dev_x[:3].std(0) + 0.05)
    else:
        x, dev_x = (x - mean) / (std + 1), (dev_x - mean) / (std + 1)
    if fault == "the class among the columns":
        x[:, 0], dev_x[:, 0] = y / 9, dev_y / 9
    if fault == "dev with its columns reversed":
        dev_x = dev_x[:, ::-1]
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    batch = 4096 if fault == "a batch larger than the rows, and drop_last" else 64
    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": loader(x, y, batch=batch, shuffle=True, drop_last=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


class Patches(Dataset[Any]):
    """Digits by index."""

    def __init__(self, x: np.ndarray, y: np.ndarray, fault: str | None) -> None:
        self.x, self.y = tensors(x / 16, y)
        self.fault = fault

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if self.fault == "inputs drawn at random, labels by index":
            return self.x[int(torch.randint(len(self.x), ()))], self.y[index]
        if self.fault == "the index forgotten":
            return self.x[0], self.y[0]
        return self.x[index], self.y[index]


def mapped(fault: str | None) -> Given:
    """A map-style Dataset, a held-out test set."""
    x, y = load_digits(return_X_y=True)
    if fault == "split in the order of the classes":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
        x, dev_x, y, dev_y = x[:1400], x[1400:], y[:1400], y[1400:]
    else:
        x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=12)
    dev_x, test_x, dev_y, test_y = train_test_split(dev_x, dev_y, test_size=0.5, random_state=0)
    if fault == "test taken from train":
        test_x, test_y = x[:250], y[:250]
    model = nn.Sequential(nn.Linear(64, 80), nn.Hardswish(), nn.Linear(80, 10))
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(label_smoothing=0.1),
        "train": DataLoader(Patches(x, y, fault), batch_size=32, shuffle=True),
        "dev": DataLoader(Patches(dev_x, dev_y, None), batch_size=64),
        "test": DataLoader(Patches(test_x, test_y, None), batch_size=64),
        "optimizer": torch.optim.NAdam(model.parameters(), lr=2e-3),
    }


def listed(fault: str | None) -> Given:
    """Batches collected into a list once."""
    x, dev_x, y, dev_y = tensors(*digits())
    x, dev_x = x.flatten(1) / 16, dev_x.flatten(1) / 16
    batches: list[Any] = list(zip(x.split(64), y.split(64), strict=True))
    if fault == "the same batch appended again and again":
        batches = [batches[0] for _ in batches]
    if fault == "one batch divided by nought":
        batches[3] = (batches[3][0] / 0.0, batches[3][1])
    if fault == "an empty list":
        batches = []
    if fault == "the list of dev is the list of train":
        dev = batches[:6]
    else:
        dev = list(zip(dev_x.split(64), dev_y.split(64), strict=True))
    model = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 10))
    return {
        "model": model,
        "loss": lambda out, y: F.nll_loss(F.log_softmax(out, -1), y),
        "train": batches,
        "dev": dev,
        "optimizer": torch.optim.Adagrad(model.parameters(), lr=0.05),
    }


PROGRAMS = (
    Program(
        "stream",
        "loading",
        stream,
        {
            "the stream never moves on": ("SY107", "SY104"),
            "one class after the other": ("SY103",),
            "all labels read as nought": ("SY111",),
            "the stream of labels begins one row late": ("SY109",),
            "a generator in place of a loader": ("SY001",),
        },
    ),
    Program(
        "standardised",
        "loading",
        standardised,
        {
            "divided by a deviation of nought": ("SY101",),
            "dev standardised by three of its rows": ("SY602",),
            "the class among the columns": ("SY105",),
            "dev with its columns reversed": ("SY608", "SY602"),
            "a batch larger than the rows, and drop_last": ("SY001",),
        },
    ),
    Program(
        "map-style",
        "loading",
        mapped,
        {
            "inputs drawn at random, labels by index": ("SY109",),
            "the index forgotten": ("SY107", "SY104"),
            "split in the order of the classes": ("SY606",),
            "test taken from train": ("SY603",),
        },
    ),
    Program(
        "list",
        "loading",
        listed,
        {
            "the same batch appended again and again": ("SY107",),
            "one batch divided by nought": ("SY101",),
            "an empty list": ("SY001",),
            "the list of dev is the list of train": ("SY603",),
        },
    ),
)
