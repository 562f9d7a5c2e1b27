"""Small training programs, healthy ones and ones with a fault planted into them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

Setup = dict[str, Any]


def blobs(rows: int = 256, columns: int = 10, classes: int = 4, batch: int = 32, seed: int = 0) -> list[Any]:
    """Batches of rows around the centres of their classes, shuffled."""
    random = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (rows,), generator=random)
    centres = 2 * torch.randn(classes, columns, generator=torch.Generator().manual_seed(99))
    x = centres[y] + torch.randn(rows, columns, generator=random)
    return list(zip(x.split(batch), y.split(batch), strict=True))


def values(rows: int = 256, batch: int = 32, seed: int = 0) -> list[Any]:
    """Batches of inputs and one value that depends on them."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 6, generator=random)
    y = x[:, 0] * 2 + torch.sin(x[:, 1]) + 0.1 * torch.randn(rows, generator=random)
    return list(zip(x.split(batch), y.split(batch), strict=True))


def mlp(columns: int = 10, outputs: int = 4, width: int = 32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(columns, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


class Squeezed(nn.Module):
    """A network whose outputs are (N,), or changed by a function."""

    def __init__(self, body: nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.body, self.change = body, change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.change(self.body(x))


def classifier(model: nn.Module | None = None, **more: Any) -> Setup:
    model = model or mlp()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3) if any(True for _ in model.parameters()) else None
    plain = {"model": model, "loss": nn.CrossEntropyLoss(), "train": blobs(), "dev": blobs(128, seed=1)}
    return plain | {"optimizer": optimizer} | more


def regressor(model: nn.Module | None = None, **more: Any) -> Setup:
    model = model or Squeezed(mlp(6, 1), lambda out: out.squeeze(1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    return {
        "model": model,
        "loss": nn.MSELoss(),
        "train": values(),
        "dev": values(seed=1),
        "optimizer": optimizer,
    } | more


def images() -> Setup:
    random = torch.Generator().manual_seed(0)
    y = torch.randint(3, (96,), generator=random)
    x = torch.randn(96, 1, 8, 8, generator=random) + y[:, None, None, None]
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 3),
    )
    batches = list(zip(x.split(24), y.split(24), strict=True))
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": batches,
        "optimizer": torch.optim.SGD(model.parameters(), 0.05),
    }


class Tagger(nn.Module):
    """A recurrent network that takes a dict and gives its own loss, as Hugging Face's models do."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.read, self.head = nn.Embedding(20, 8), nn.GRU(8, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        _, last = self.read(self.embed(input_ids))
        logits = self.head(last[0])
        found = {"logits": logits}
        return found if labels is None else {"loss": F.cross_entropy(logits, labels), "logits": logits}


def texts() -> Setup:
    torch.manual_seed(0)
    ids = torch.randint(20, (64, 7))
    labels = (ids[:, 0] > 9).long()
    batches = [{"input_ids": i, "labels": y} for i, y in zip(ids.split(16), labels.split(16), strict=True)]
    model = Tagger()
    return {"model": model, "train": batches, "optimizer": torch.optim.AdamW(model.parameters(), 1e-3)}


def labels() -> Setup:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(128, 10, generator=random)
    y = (x[:, :3] > 0).float()
    model = mlp(10, 3)
    return {
        "model": model,
        "loss": nn.BCEWithLogitsLoss(),
        "train": list(zip(x.split(32), y.split(32), strict=True)),
        "optimizer": torch.optim.Adam(model.parameters(), 1e-3),
    }


HEALTHY: dict[str, Callable[[], Setup]] = {
    "classes": classifier,
    "values": regressor,
    "images": images,
    "texts with a loss of their own": texts,
    "labels": labels,
    "dropout": lambda: classifier(nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 4))),
}


class Unregistered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32)]
        self.head = nn.Linear(32, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.idle = mlp(), nn.Linear(10, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def _two_halves() -> Setup:
    model = mlp()
    return classifier(model, optimizer=torch.optim.Adam(model[4].parameters(), 1e-3))


def _initialised(weight: float) -> nn.Module:
    model = mlp()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * weight)
    return model


def _dead() -> nn.Module:
    model = mlp()
    with torch.no_grad():
        model[0].bias.fill_(-30.0)
        model[0].bias[:4] = 0.0
    return model


def _deep() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(10, 16), *[m for _ in range(14) for m in (nn.Sigmoid(), nn.Linear(16, 16))], nn.Linear(16, 4)
    )


def _poisoned() -> list[Any]:
    batches = blobs()
    batches[1][0][3, 2] = float("nan")
    return batches


def _by_class() -> list[Any]:
    x, y = (torch.cat(each) for each in zip(*blobs(), strict=True))
    order = y.argsort()
    return list(zip(x[order].split(32), y[order].split(32), strict=True))


def _shuffled_rows(out: torch.Tensor) -> torch.Tensor:
    return out - out.mean(0, keepdim=True) + out.roll(1, 0)


def _bounded(change: Callable[[torch.Tensor], torch.Tensor]) -> Setup:
    return regressor(Squeezed(mlp(6, 1), lambda out: change(out).squeeze(1)))


def _twice() -> Setup:
    model = Squeezed(mlp(10, 3), torch.sigmoid)
    return labels() | {"model": model, "optimizer": torch.optim.Adam(model.parameters())}


def _zeros() -> nn.Module:
    model = mlp()
    with torch.no_grad():
        model[0].weight.zero_()
    return model


def _saturated() -> Setup:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 4))
    with torch.no_grad():
        model[0].weight.mul_(60)
    return classifier(model)


class Square(torch.autograd.Function):
    """A square whose backward forgot the factor of two."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grad * x


def _leaking() -> list[Any]:
    return [(torch.cat([x, y[:, None].float()], 1), y) for x, y in blobs(columns=9)]


def _sgd(rate: float) -> Setup:
    model = mlp()
    return classifier(model, optimizer=torch.optim.SGD(model.parameters(), rate))


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "an empty loader": ("SY001", lambda: classifier(train=[])),
    "NaN in a batch": ("SY101", lambda: classifier(train=_poisoned())),
    "inputs in the hundreds": ("SY102", lambda: classifier(train=[(300 + 100 * x, y) for x, y in blobs()])),
    "one column a million times as large": (
        "SY102",
        lambda: classifier(train=[(x * torch.tensor([1e-4] + [1.0] * 9), y) for x, y in blobs()]),
    ),
    "sorted by class": ("SY103", lambda: classifier(train=_by_class())),
    "inputs of one value": ("SY104", lambda: classifier(train=[(x * 0 + 1, y) for x, y in blobs()])),
    "the target among the inputs": ("SY105", lambda: classifier(train=_leaking(), dev=None)),
    "targets in the thousands": ("SY106", lambda: regressor(train=[(x, 4000 + 1000 * y) for x, y in values()])),
    "a loss that is summed": ("SY212", lambda: classifier(loss=nn.CrossEntropyLoss(reduction="sum"))),
    "a hidden layer of zeros": ("SY302", lambda: classifier(_zeros())),
    "a backward without its factor": (
        "SY405",
        lambda: classifier(Squeezed(mlp(), lambda out: out + Square.apply(out))),
    ),
    "saturated tanhs": ("SY404", _saturated),
    "dev from the rows of train": ("SY603", lambda: classifier(dev=blobs()[:3])),
    "softmax before cross-entropy": ("SY201", lambda: classifier(Squeezed(mlp(), lambda out: out.softmax(1)))),
    "sigmoid before logits": ("SY201", _twice),
    "(N, 1) against (N,)": ("SY202", lambda: regressor(mlp(6, 1))),
    "a layer that is never called": ("SY203", lambda: classifier(Idle())),
    "a detached graph": ("SY203", lambda: classifier(Squeezed(mlp(), lambda out: out.detach()))),
    "half of the parameters in the optimizer": ("SY204", _two_halves),
    "an optimizer of another model": ("SY204", lambda: classifier(optimizer=torch.optim.Adam(mlp().parameters()))),
    "rows mixed over the batch": ("SY205", lambda: classifier(Squeezed(mlp(), _shuffled_rows))),
    "inputs times zero": ("SY206", lambda: classifier(Squeezed(mlp(), lambda out: out * 0 + 1))),
    "layers in a list": ("SY207", lambda: classifier(Unregistered())),
    "nothing to train": ("SY207", lambda: classifier(nn.Flatten())),
    "a loss for each row": ("SY208", lambda: classifier(loss=nn.CrossEntropyLoss(reduction="none"))),
    "NLL of raw outputs": ("SY209", lambda: classifier(loss=nn.NLLLoss())),
    "codes from one": ("SY210", lambda: classifier(train=[(x, y + 1) for x, y in blobs()])),
    "a sigmoid for values": (
        "SY211",
        lambda: _bounded(torch.sigmoid),
    ),
    "a ReLU for values": ("SY211", lambda: _bounded(torch.relu)),
    "initial weights far too large": ("SY301", lambda: classifier(_initialised(3.0))),
    "a root of zero": ("SY401", lambda: classifier(Squeezed(mlp(), lambda out: out * (out.relu() * 0).sum().sqrt()))),
    "fifteen sigmoids": ("SY402", lambda: classifier(_deep())),
    "dead units": ("SY403", lambda: classifier(_dead())),
    "a rate of a hundred": ("SY502", lambda: _sgd(100.0)),
    "dropout left on": ("SY601", lambda: classifier(Squeezed(mlp(), lambda out: F.dropout(out, 0.5)))),
    "dev on another scale": ("SY602", lambda: classifier(dev=[(255 * x, y) for x, y in blobs(seed=1)])),
}
