"""Regression: values, quantiles, and a mean with its variance."""

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import loader, tensors
from programs.program import Given, Program


class Progression(nn.Module):
    """One value a row, (N,)."""

    def __init__(self, columns: int, fault: str | None) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(columns, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        value = self.net(x)
        if self.fault == "tanh on the value":
            value = torch.tanh(value)
        if self.fault == "ReLU on the value":
            value = F.relu(value)
        return value if self.fault == "outputs (N, 1) against (N,)" else value.squeeze(-1)


def diabetes(fault: str | None) -> Given:
    """Standardised columns and values, MSELoss, Adam."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    y = frame["target"].to_numpy()
    x = frame if fault == "the target left among the columns" else frame.drop(columns="target")
    x, dev_x, y, dev_y = train_test_split(x.to_numpy(), y, test_size=0.25, random_state=0)
    scaler, value_scaler = StandardScaler().fit(x), StandardScaler().fit(y[:, None])
    x = scaler.transform(x)
    if fault == "dev not scaled":
        pass
    elif fault == "dev with its columns in another order":
        dev_x = scaler.transform(dev_x)[:, ::-1]
    else:
        dev_x = scaler.transform(dev_x)
    if fault == "the values sorted by themselves":
        y = np.sort(y)
    if fault != "values not scaled":
        y, dev_y = (value_scaler.transform(each[:, None])[:, 0] for each in (y, dev_y))
    model = Progression(x.shape[1], fault)
    rate = {"learning rate of 1e-8": 1e-8, "learning rate of 100": 100.0}.get(fault or "", 2e-3)
    return {
        "model": model,
        "loss": nn.MSELoss(),
        "train": loader(x, y, batch=32, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=rate, weight_decay=1e-4),
    }


def huber(out: Tensor, y: Tensor, delta: float = 1.0) -> Tensor:
    """Huber's loss, written out."""
    error = (out - y).abs()
    return torch.where(error < delta, 0.5 * error**2, delta * (error - 0.5 * delta)).mean()


def robust(fault: str | None) -> Given:
    """Targets (N, 1), Huber's loss as a function, batches in a list."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.25, random_state=3)
    scaler, mean, std = StandardScaler().fit(x), y.mean(), y.std()
    x, dev_x, y, dev_y = tensors(scaler.transform(x), scaler.transform(dev_x), (y - mean) / std, (dev_y - mean) / std)
    if fault != "targets (N,) against outputs (N, 1)":
        y, dev_y = y[:, None], dev_y[:, None]
    hidden = 32
    model = nn.Sequential(nn.Linear(10, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    if fault == "no hidden non-linearity":
        model = nn.Sequential(nn.Linear(10, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 1))
    loss: Any = huber
    if fault == "absolute value forgotten":
        loss = lambda out, y: (out - y).mean()  # noqa: E731
    if fault == "loss from NumPy":
        loss = lambda out, y: torch.tensor(((out.detach() - y) ** 2).numpy().mean(), requires_grad=True)  # noqa: E731
    if fault == "one loss a row":
        loss = lambda out, y: (out - y) ** 2  # noqa: E731
    if fault == "weights started at 30":
        nn.init.constant_(model[0].weight, 30.0)
    return {
        "model": model,
        "loss": loss,
        "train": list(zip(x.split(32), y.split(32), strict=True)),
        "dev": list(zip(dev_x.split(32), dev_y.split(32), strict=True)),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    }


class Gaussian(nn.Module):
    """A mean and the logarithm of a variance."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 32), nn.SiLU())
        self.mean, self.log_variance = nn.Linear(32, 1), nn.Linear(32, 1)
        self.fault = fault

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(x)
        mean = self.mean(hidden).squeeze(1)
        if self.fault == "the mean detached":
            mean = mean.detach()
        return mean, self.log_variance(hidden).squeeze(1)


def gaussian(fault: str | None) -> Given:
    """A model of two outputs, a likelihood as its loss."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.25, random_state=4)
    scaler, mean, std = StandardScaler().fit(x), y.mean(), y.std()

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        mean, log_variance = out
        if fault == "the variance left out of the loss":
            return F.mse_loss(mean, y)
        if fault == "the likelihood maximised the wrong way":
            return -0.5 * (log_variance + (y - mean) ** 2 * torch.exp(-log_variance)).mean()
        if fault == "logarithm of a variance that can be negative":
            return 0.5 * (torch.log(log_variance) + (y - mean) ** 2 / log_variance).mean()
        return 0.5 * (log_variance + (y - mean) ** 2 * torch.exp(-log_variance)).mean()

    model = Gaussian(fault)
    return {
        "model": model,
        "loss": loss,
        "train": loader(scaler.transform(x), (y - mean) / std, batch=32, shuffle=True),
        "dev": loader(scaler.transform(dev_x), (dev_y - mean) / std, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = (
    Program(
        "diabetes",
        "regression",
        diabetes,
        {
            "outputs (N, 1) against (N,)": ("SY202",),
            "tanh on the value": ("SY211",),
            "ReLU on the value": ("SY211",),
            "values not scaled": ("SY106",),
            "the target left among the columns": ("SY105",),
            "dev not scaled": ("SY602",),
            "dev with its columns in another order": ("SY608", "SY602"),
            "the values sorted by themselves": ("SY109",),
            "learning rate of 1e-8": ("SY503", "SY408"),
            "learning rate of 100": ("SY502", "SY505", "SY506"),
        },
    ),
    Program(
        "robust",
        "regression",
        robust,
        {
            "targets (N,) against outputs (N, 1)": ("SY202",),
            "no hidden non-linearity": ("SY218",),
            "absolute value forgotten": ("SY215",),
            "loss from NumPy": ("SY203", "SY405"),
            "one loss a row": ("SY208",),
            "weights started at 30": ("SY302", "SY404"),
        },
    ),
    Program(
        "gaussian",
        "regression",
        gaussian,
        {
            "the mean detached": ("SY203",),
            "the variance left out of the loss": ("SY214", "SY203"),
            "the likelihood maximised the wrong way": ("SY215",),
            "logarithm of a variance that can be negative": ("SY506", "SY401"),
        },
    ),
)
