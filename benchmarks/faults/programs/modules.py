"""Classes in the manner of Lightning: the module holds its step and its optimizer."""

from importlib.util import find_spec
from typing import Any

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import digits, loader
from programs.program import Given, Program


def lightning_digits(fault: str | None) -> Given:
    """A LightningModule; the step does what its Trainer does."""
    from lightning import LightningModule

    class Digits(LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = [nn.Linear(64, 64), nn.Linear(64, 64)]
            self.layers: Any = layers if fault == "layers in a list" else nn.ModuleList(layers)
            self.dropout = nn.Dropout(0.1)
            self.head = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = self.dropout(F.relu(layer(x.flatten(1))))
            logits = self.head(x)
            return logits.softmax(1) if fault == "softmax in forward" else logits

        def training_step(self, batch: Any, number: int) -> Tensor:
            x, y = batch
            if fault == "eval() left in the step":
                self.eval()
            loss = F.cross_entropy(self(x), y)
            return loss.detach().clone().requires_grad_() if fault == "the loss detached for logging" else loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            parameters = self.head.parameters() if fault == "the head alone configured" else self.parameters()
            return torch.optim.AdamW(parameters, lr=1e-7 if fault == "learning rate of 1e-7" else 2e-3)

    x, dev_x, y, dev_y = digits()
    model = Digits()
    optimizer = model.configure_optimizers()

    def step(batch: Any) -> Tensor:
        optimizer.zero_grad()
        loss = model.training_step(batch, 0)
        loss.backward()
        optimizer.step()
        return loss

    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": loader(x / 16, y, batch=64, shuffle=True),
        "dev": loader(dev_x / 16, dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


class Trained(nn.Module):
    """A module with its own criterion and its own step, and no library."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(30, 48), nn.LayerNorm(48), nn.ReLU())
        self.decide = nn.Linear(48, 1)
        self.criterion = nn.BCEWithLogitsLoss()
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        logit = self.decide(self.encode(x)).squeeze(-1)
        return torch.sigmoid(logit) if self.fault == "probabilities into its criterion" else logit

    def training_step(self, batch: Any) -> Tensor:
        return self.criterion(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        groups = [{"params": self.encode.parameters(), "lr": 1e-3}, {"params": self.decide.parameters(), "lr": 5e-3}]
        if self.fault == "a group forgotten":
            groups = groups[1:]
        return torch.optim.Adam(groups)


def trained(fault: str | None) -> Given:
    """Two groups of parameters, a manual optimisation."""
    x, y = load_breast_cancer(return_X_y=True)
    x, dev_x, y, dev_y = train_test_split(x, y.astype(float), test_size=0.25, random_state=11)
    scaler = StandardScaler().fit(x)
    model = Trained(fault)
    optimizer = model.configure_optimizers()

    def step(model: Trained, batch: Any, optimizer: torch.optim.Optimizer) -> Tensor:
        loss = model.training_step(batch)
        loss.backward()
        optimizer.step()
        if fault != "manual optimisation without zero_grad":
            optimizer.zero_grad()
        return loss

    return {
        "model": model,
        "loss": model.criterion,
        "train": loader(scaler.transform(x), y, batch=32, shuffle=True),
        "dev": loader(scaler.transform(dev_x), dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


LIGHTNING = Program(
    "lightning digits",
    "modules",
    lightning_digits,
    {
        "layers in a list": ("SY207", "SY204"),
        "softmax in forward": ("SY201",),
        "eval() left in the step": ("SY609",),
        "the loss detached for logging": ("SY203", "SY405", "SY408"),
        "the head alone configured": ("SY204", "SY410"),
        "learning rate of 1e-7": ("SY503", "SY408"),
    },
)
OWN = Program(
    "trained module",
    "modules",
    trained,
    {
        "probabilities into its criterion": ("SY201",),
        "a group forgotten": ("SY204", "SY410"),
        "manual optimisation without zero_grad": ("SY407",),
    },
)
PROGRAMS = (LIGHTNING, OWN) if find_spec("lightning") else (OWN,)
