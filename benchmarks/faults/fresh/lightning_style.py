"""Modules with training_step and configure_optimizers, as Lightning trains them."""

from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, digit_images, digits, friedman
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

STYLE = "Lightning"


def fitted(model: nn.Module, rows: tuple[Rows, Rows, Rows]) -> dict[str, Any]:
    train, dev, test = rows
    return {
        "model": model,
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=64),
        "test": DataLoader(TensorDataset(*test), batch_size=64),
        "optimizer": model.configure_optimizers(),
    }


class LitClassifier(nn.Module):
    """A trunk and a head; the switches break one thing each."""

    def __init__(self, lr: float = 3e-3, weight_decay: float = 1e-6, softmax: bool = False) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.head = nn.Linear(48, 10)
        self.lr, self.weight_decay, self.softmax = lr, weight_decay, softmax

    def forward(self, x: Tensor) -> Tensor:
        z = self.head(self.trunk(x))
        return torch.softmax(z, dim=-1) if self.softmax else z

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return (self(x).argmax(-1) == y).float().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)


class HeadOnly(LitClassifier):
    def configure_optimizers(self):
        return torch.optim.Adam(self.head.parameters(), lr=self.lr)


def only_the_head(broken: bool) -> dict[str, Any]:
    torch.manual_seed(220)
    return fitted((HeadOnly if broken else LitClassifier)(), digits())


def softmax_in_forward(broken: bool) -> dict[str, Any]:
    torch.manual_seed(221)
    return fitted(LitClassifier(softmax=broken), digits())


def rate_and_decay_swapped(broken: bool) -> dict[str, Any]:
    torch.manual_seed(222)
    settings = (3e-3, 1e-6)
    return fitted(LitClassifier(*(settings[::-1] if broken else settings)), digits())


class Logged(LitClassifier):
    """Keeps the losses of all steps."""

    def __init__(self, detach: bool) -> None:
        super().__init__()
        self.history: list[Tensor] = []
        self.detach = detach

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        if self.detach:
            loss = loss.detach().requires_grad_()
        self.history.append(loss.detach())
        return {"loss": loss}


def detached_for_the_log(broken: bool) -> dict[str, Any]:
    torch.manual_seed(223)
    return fitted(Logged(detach=broken), digits())


def evaluation_inside(broken: bool) -> dict[str, Any]:
    torch.manual_seed(224)

    class Lit(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(
                nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Dropout(0.4), nn.Linear(576, 10)
            )
            self.accuracy = 0.0

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, batch_idx):
            x, y = batch
            loss = F.cross_entropy(self(x), y)
            if self.training:
                self.eval()
                with torch.no_grad():
                    self.accuracy = (self(x).argmax(1) == y).float().mean()
                if not broken:
                    self.train()
            return loss

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=2e-3)

    return fitted(Lit(), digit_images())


def values_in_a_column(broken: bool) -> dict[str, Any]:
    torch.manual_seed(225)

    class LitRegressor(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1, self.l2 = nn.Linear(10, 64), nn.Linear(64, 1)

        def forward(self, x):
            return self.l2(F.silu(self.l1(x)))

        def training_step(self, batch, batch_idx):
            x, y = batch
            y_hat = self(x)
            if not broken:
                y_hat = y_hat.squeeze(-1)
            return torch.mean((y_hat - y) ** 2)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=5e-3)

    return fitted(LitRegressor(), friedman())


def branches_in_a_dict(broken: bool) -> dict[str, Any]:
    torch.manual_seed(226)

    class LitBranches(nn.Module):
        """Looks at the upper and the lower half of a digit apart."""

        def __init__(self):
            super().__init__()
            branches = {"upper": nn.Linear(32, 32), "lower": nn.Linear(32, 32)}
            self.branches = branches if broken else nn.ModuleDict(branches)
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            halves = dict(zip(("upper", "lower"), x.chunk(2, dim=1), strict=True))
            return self.head(torch.cat([F.gelu(self.branches[name](half)) for name, half in halves.items()], dim=1))

        def training_step(self, batch, batch_idx):
            x, y = batch
            return F.cross_entropy(self(x), y)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

    return fitted(LitBranches(), digits())


def scaled_by_its_batch(broken: bool) -> dict[str, Any]:
    from lightning import LightningModule

    torch.manual_seed(227)
    rows = digits()

    class Lit(LightningModule):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", rows[0].x.mean(0))
            self.register_buffer("std", rows[0].x.std(0))
            self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))

        def forward(self, x):
            mean, std = (x.mean(0), x.std(0)) if broken else (self.mean, self.std)
            return self.net((x - mean) / (std + 0.05))

        def training_step(self, batch, batch_idx):
            x, y = batch
            return F.cross_entropy(self(x), y)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=2e-3)

    return fitted(Lit(), rows)


PROGRAMS = [
    Program(
        "only the head",
        STYLE,
        ("SY204", "SY410"),
        "configure_optimizers gives the head's parameters only",
        only_the_head,
    ),
    Program(
        "softmax in forward",
        STYLE,
        ("SY201",),
        "forward ends in softmax, training_step in cross_entropy",
        softmax_in_forward,
    ),
    Program(
        "rate and decay swapped",
        STYLE,
        ("SY503", "SY504"),
        "learning rate and weight decay change places: 1e-6",
        rate_and_decay_swapped,
    ),
    Program(
        "detached for the log",
        STYLE,
        ("SY203",),
        "training_step returns the loss it detached for the log",
        detached_for_the_log,
    ),
    Program(
        "evaluation inside",
        STYLE,
        ("SY609",),
        "training_step measures accuracy in evaluation mode and stays there",
        evaluation_inside,
    ),
    Program("values in a column", STYLE, ("SY202",), "(N, 1) minus (N,) is (N, N)", values_in_a_column),
    Program(
        "branches in a dict",
        STYLE,
        ("SY207", "SY204"),
        "layers stand in a dict, not in a ModuleDict",
        branches_in_a_dict,
    ),
    Program(
        "scaled by its batch",
        STYLE,
        ("SY205",),
        "forward standardises by the batch it gets, in evaluation, too",
        scaled_by_its_batch,
    ),
]
