"""Tables and perceptrons: classification."""

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


def cancer(fault: str | None) -> Given:
    """A Sequential, Adam, a shuffled DataLoader."""
    x, y = load_breast_cancer(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    if fault != "inputs not scaled":
        scaler = StandardScaler().fit(x)
        x, dev_x = scaler.transform(x), scaler.transform(dev_x)
    if fault == "labels shuffled against the rows":
        y = np.random.default_rng(0).permutation(y)
    if fault == "rows in the order of their classes":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    activation = nn.Identity if fault == "no activation between the layers" else nn.ReLU
    layers = [nn.Linear(30, 64), activation(), nn.Linear(64, 64), activation(), nn.Linear(64, 2)]
    if fault == "softmax as the last module":
        layers.append(nn.Softmax(dim=1))
    model = nn.Sequential(*layers)
    lr = {"learning rate of 1e-8": 1e-8, "learning rate of 100": 100.0}.get(fault or "", 1e-3)
    decay = 10.0 if fault == "weight decay of 10" else 1e-5
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=decay)
    if fault == "a layer replaced after the optimizer was made":
        model[2] = nn.Linear(64, 64)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x, y, shuffle=fault != "rows in the order of their classes"),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": optimizer,
        "classes": 2,
    }


class WineNet(nn.Module):
    """Hidden layers of one width, written with functions."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.fault = fault
        self.first = nn.Linear(13, 32)
        hidden: Any = [nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)]
        if fault == "one layer in several places":
            hidden = [nn.Linear(32, 32)] * 3
        self.hidden = hidden if fault == "layers in a plain list" else nn.ModuleList(hidden)
        self.last = nn.Linear(32, 2 if fault == "an output too few" else 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        for layer in self.hidden:
            x = F.relu(layer(x))
            x = (
                F.dropout(x, 0.1)
                if self.fault == "dropout without its training flag"
                else F.dropout(x, 0.1, self.training)
            )
        x = self.last(x)
        if self.fault == "softmax by function":
            return F.softmax(x, dim=1)
        if self.fault == "ReLU on the logits":
            return F.relu(x)
        return x


def wine(fault: str | None) -> Given:
    """A list of batches, SGD with momentum, the loss as a function."""
    x, y = load_wine(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y, test_size=0.3, random_state=1)
    scaler = StandardScaler().fit(x)
    x, y, dev_x, dev_y = tensors(scaler.transform(x), y, scaler.transform(dev_x), dev_y)
    if fault == "classes counted from one":
        y, dev_y = y + 1, dev_y + 1
    if fault == "labels one row off":
        y = y.roll(1)
    model = WineNet(fault)
    if fault == "all weights zero":
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
    if fault == "all weights of one value":
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.1)
    loss: Any = F.cross_entropy
    if fault == "class weights of nought by integer division":
        counts = y.bincount()
        weight = (counts.min() // counts).float()
        loss = lambda out, y: F.cross_entropy(out, y, weight=weight)  # noqa: E731
    return {
        "model": model,
        "loss": loss,
        "train": list(zip(x.split(16), y.split(16), strict=True)),
        "dev": [(dev_x, dev_y)],
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    }


class Tumour(nn.Module):
    """One logit a row, (N,)."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        logit = self.net(x)
        if self.fault == "sigmoid before a loss that applies it":
            logit = torch.sigmoid(logit)
        if self.fault == "ReLU on the one logit":
            logit = torch.relu(logit)
        return logit if self.fault == "outputs (N, 1) and targets (N,)" else logit.squeeze(1)


def logistic(out: Tensor, y: Tensor) -> Tensor:
    """Binary cross entropy of logits, written out."""
    return (F.softplus(out) - out * y).mean()


def tumour(fault: str | None) -> Given:
    """One logit and a logistic loss."""
    x, y = load_breast_cancer(return_X_y=True)
    if fault == "rows doubled before the split":
        again = np.random.default_rng(0).choice(len(x), len(x))
        x, y = np.concatenate([x, x[again]]), np.concatenate([y, y[again]])
    x, dev_x, y, dev_y = train_test_split(x, y.astype(float), test_size=0.3, random_state=2)
    scaler = StandardScaler().fit(x)
    x, dev_x = scaler.transform(x), scaler.transform(dev_x)
    model = Tumour(fault)
    if fault == "weights a hundred times too large":
        with torch.no_grad():
            for layer in (model.net[0], model.net[2]):
                layer.weight.mul_(100)
    loss: Any = logistic
    if fault == "the loss summed over the batch":
        loss = nn.BCEWithLogitsLoss(reduction="sum")
    if fault == "the sign of the loss turned":
        loss = lambda out, y: -F.binary_cross_entropy_with_logits(out, y)  # noqa: E731
    return {
        "model": model,
        "loss": loss,
        "train": loader(x, y, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=len(dev_x)),
        "optimizer": torch.optim.AdamW(model.parameters(), lr=2e-3),
    }


class LogDigits(nn.Module):
    """Log-probabilities of ten classes; BatchNorm between the layers."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        width = 1 if fault == "a bottleneck of one unit" else 64
        momentum = 0.999 if fault == "BatchNorm momentum of 0.999" else 0.1
        norm = nn.BatchNorm1d(128, momentum=momentum)
        self.body = nn.Sequential(nn.Linear(64, 128), norm, nn.ReLU(), nn.Linear(128, width), nn.ReLU())
        self.head = nn.Linear(width, 10)
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        if self.fault == "inputs standardised over the batch":
            x = (x - x.mean(0)) / (x.std(0) + 1e-6)
        x = self.head(self.body(x))
        if self.fault == "probabilities into NLLLoss":
            return x.softmax(1)
        if self.fault == "logits into NLLLoss":
            return x
        return x.log_softmax(0 if self.fault == "log-softmax over the batch" else 1)


def log_digits(fault: str | None) -> Given:
    """Digits as a table, log-softmax and NLLLoss."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x.reshape(len(x), -1) / 16, dev_x.reshape(len(dev_x), -1) / 16
    model = LogDigits(fault)
    return {
        "model": model,
        "loss": nn.NLLLoss(),
        "train": loader(x, y, batch=16, shuffle=True, drop_last=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


PROGRAMS = (
    Program(
        "cancer",
        "mlp",
        cancer,
        {
            "softmax as the last module": ("SY201",),
            "inputs not scaled": ("SY102",),
            "labels shuffled against the rows": ("SY109",),
            "rows in the order of their classes": ("SY103",),
            "no activation between the layers": ("SY218",),
            "learning rate of 1e-8": ("SY503", "SY408"),
            "learning rate of 100": ("SY502", "SY505", "SY506"),
            "weight decay of 10": ("SY508",),
            "a layer replaced after the optimizer was made": ("SY204",),
        },
    ),
    Program(
        "wine",
        "mlp",
        wine,
        {
            "softmax by function": ("SY201",),
            "ReLU on the logits": ("SY219",),
            "dropout without its training flag": ("SY601",),
            "one layer in several places": ("SY217",),
            "layers in a plain list": ("SY207", "SY204"),
            "an output too few": ("SY210",),
            "classes counted from one": ("SY210",),
            "labels one row off": ("SY109",),
            "class weights of nought by integer division": ("SY226", "SY607", "SY401", "SY506"),
            "all weights zero": ("SY302", "SY206"),
            "all weights of one value": ("SY302",),
        },
    ),
    Program(
        "tumour",
        "mlp",
        tumour,
        {
            "sigmoid before a loss that applies it": ("SY201",),
            "ReLU on the one logit": ("SY219",),
            "outputs (N, 1) and targets (N,)": ("SY202",),
            "the loss summed over the batch": ("SY212",),
            "the sign of the loss turned": ("SY215",),
            "weights a hundred times too large": ("SY301", "SY303"),
            "rows doubled before the split": ("SY603",),
        },
    ),
    Program(
        "log digits",
        "mlp",
        log_digits,
        {
            "probabilities into NLLLoss": ("SY201", "SY209"),
            "logits into NLLLoss": ("SY209", "SY201"),
            "log-softmax over the batch": ("SY205",),
            "inputs standardised over the batch": ("SY205",),
            "a bottleneck of one unit": ("SY510", "SY501"),
            "BatchNorm momentum of 0.999": ("SY604", "SY222"),
        },
    ),
)
