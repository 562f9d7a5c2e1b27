"""Batches, models and losses of every usual shape are examined, and what cannot be examined is said clearly."""

from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from programs import blobs, classifier, mlp, values
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from steelyard.doctor import examine
from steelyard.doctor.case import Case

Setup = dict[str, Any]
QUICK = ("SY109", "SY5", "SY604", "SY607")  # what trains takes long
Pair = namedtuple("Pair", ["x", "y"])


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), 1e-2)


class Two(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self, as_dict: bool = False) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(10, 16), nn.Linear(10, 16)
        self.classes, self.value, self.as_dict = nn.Linear(32, 4), nn.Linear(32, 1), as_dict

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> Any:
        h = torch.cat([self.left(left), self.right(right)], 1).relu()
        out = {"classes": self.classes(h), "value": self.value(h).squeeze(1)}
        return out if self.as_dict else (out["classes"], out["value"])


def both(out: Any, y: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    classes, guess = (out["classes"], out["value"]) if isinstance(out, dict) else out
    return F.cross_entropy(classes, y) + F.mse_loss(guess, value)


def three(outs: Any, targets: Any) -> torch.Tensor:
    return both(outs, *targets)


def two(batch: Callable[[torch.Tensor, torch.Tensor], Any], loss: Any, as_dict: bool = False) -> Setup:
    torch.manual_seed(0)
    model = Two(as_dict)
    return {"model": model, "loss": loss, "optimizer": adam(model), "train": [batch(x, y) for x, y in blobs()]}


class Classifier(nn.Module):
    """Takes a dict, or names; gives what a library's model gives."""

    def __init__(self, whole: bool = False) -> None:
        super().__init__()
        self.body, self.whole = mlp(), whole

    def forward(self, batch: Any) -> torch.Tensor:
        return self.body(batch["x"])


@dataclass
class Output:
    loss: torch.Tensor | None
    logits: torch.Tensor


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = mlp()

    def forward(self, features: torch.Tensor, labels: torch.Tensor | None = None) -> Output:
        logits = self.body(features)
        return Output(None if labels is None else F.cross_entropy(logits, labels), logits)


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[Any]:
        for x, y in blobs():
            yield from zip(x, y, strict=True)


class Step(nn.Module):
    """What Lightning asks of a module."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, torch.Tensor]:
        x, y = batch
        return {"loss": F.cross_entropy(self(x), y)}

    def configure_optimizers(self) -> Any:
        optimizer = adam(self)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 10)}

    def train_dataloader(self) -> Any:
        return blobs()


def autoencoder(batch: Callable[[torch.Tensor], Any]) -> Setup:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 10))
    return {"model": model, "loss": nn.MSELoss(), "optimizer": adam(model), "train": [batch(x / 2) for x, _ in blobs()]}


def own(model: nn.Module, batches: list[Any], loss: Any = None) -> Setup:
    return {"model": model, "loss": loss, "optimizer": adam(model), "train": batches}


def tensors() -> TensorDataset:
    return TensorDataset(*(torch.cat(each) for each in zip(*blobs(), strict=True)))


SHAPES: dict[str, Callable[[], Setup]] = {
    "(x1, x2, y, value)": lambda: two(lambda x, y: (x, -x, y, y.float()), both),
    "((x1, x2), (y, value))": lambda: two(lambda x, y: ((x, -x), (y, y.float())), three),
    "((x1, x2), (y, value)), the loss takes each": lambda: two(lambda x, y: ((x, -x), (y, y.float())), both),
    "a dict in, a dict out": lambda: two(
        lambda x, y: {"left": x, "right": -x, "labels": (y, y.float())}, three, as_dict=True
    ),
    "({names}, y)": lambda: own(Named(), [({"features": x}, y) for x, y in blobs()], nn.CrossEntropyLoss()),
    "a model that takes the whole dict": lambda: own(
        Classifier(), [{"x": x, "y": y} for x, y in blobs()], nn.CrossEntropyLoss()
    ),
    "a dict of one input": lambda: own(mlp(), [{"image": x, "label": y} for x, y in blobs()], nn.CrossEntropyLoss()),
    "its own loss by name": lambda: own(Named(), [{"features": x, "labels": y} for x, y in blobs()]),
    "an object with logits, and a loss": lambda: own(Named(), blobs(), nn.CrossEntropyLoss()),
    "a named tuple": lambda: classifier(train=[Pair(x, y) for x, y in blobs()]),
    "a list of two": lambda: classifier(train=[[x, y] for x, y in blobs()]),
    "a DataLoader": lambda: classifier(train=DataLoader(tensors(), 32, shuffle=True)),
    "an IterableDataset": lambda: classifier(train=DataLoader(Stream(), 32)),
    "a function that gives batches": lambda: classifier(train=lambda: iter(blobs())),
    "a Lightning module alone": lambda: {"model": Step()},
    "an autoencoder of (x,)": lambda: autoencoder(lambda x: (x,)),
    "an autoencoder of x": lambda: autoencoder(lambda x: x),
    "an autoencoder of (x, label)": lambda: {
        **autoencoder(lambda x: x),
        "train": [(x / 2, y) for x, y in blobs()],
        "loss": lambda out, x: F.mse_loss(out, x),
    },
    "a loss as a lambda": lambda: classifier(loss=lambda out, y: F.cross_entropy(out, y)),
    "a loss of the outputs and the batch": lambda: classifier(loss=lambda out, batch: F.cross_entropy(out, batch[1])),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_usual_shape_is_examined(shape: str) -> None:
    found = examine(**SHAPES[shape](), ignore=QUICK)
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert {"SY207", "SY208", "SY401", "SY204"} <= set(found.passed), found.not_measured
    raised = [why for why in found.not_measured.values() if "your code raised" in why]
    assert not raised, raised


@pytest.mark.parametrize("shape", SHAPES)
def test_the_terms_of_the_loss_are_found(shape: str) -> None:
    case = Case.of(**SHAPES[shape]())
    assert case.train is not None
    batch = case.read(case.raw(case.train)[0])
    kinds = [term.kind for term in case.terms(batch)]
    assert kinds and set(kinds) <= {"class logits", "values"}


class Focal(nn.Module):
    def forward(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logs = out.log_softmax(1)
        right = logs.gather(1, y[:, None]).squeeze(1)
        return -((1 - right.exp()) ** 2 * right).mean()


def by_hand(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return -out.gather(1, y[:, None]).mean()


@pytest.mark.parametrize(
    ("loss", "shape", "target", "kind"),
    [
        (Focal(), (8, 4), torch.arange(8) % 4, "class logits"),
        (by_hand, (8, 4), torch.arange(8) % 4, "log probabilities"),
        (lambda p, y: -(p.gather(1, y[:, None]).log()).mean(), (8, 4), torch.arange(8) % 4, "probabilities"),
        (lambda a, b: ((a - b) ** 2).mean(), (8,), torch.linspace(-3, 3, 8), "values"),
        (lambda a, b: (a - b).cosh().log().mean(), (8, 1), torch.linspace(-3, 3, 8)[:, None], "values"),
        (lambda z, y: F.softplus((1 - 2 * y) * z).mean(), (8,), torch.arange(8) % 2.0, "label logits"),
        (lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()).mean(), (8,), torch.arange(8) % 2.0, "probabilities"),
    ],
)
def test_a_loss_of_ones_own_is_known_by_what_it_does(loss: Any, shape: Any, target: torch.Tensor, kind: str) -> None:
    model = nn.Linear(3, shape[1] if len(shape) > 1 else 1)
    flat = nn.Sequential(model, nn.Flatten(0)) if len(shape) == 1 else model
    case = Case.of(flat, loss=loss)
    batch = case.read((torch.randn(8, 3), target))
    assert [term.kind for term in case.terms(batch)] == [kind]


class NeedsGpu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.to("cuda"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there: nothing fails")
def test_a_model_that_needs_a_gpu_is_one_clear_finding() -> None:
    found = examine(**classifier(NeedsGpu()))
    assert found.codes[0] == "SY002"
    assert "your code raised" in found.findings[0].saw and "test_callings.py" in found.findings[0].saw


def test_a_batch_without_a_target_is_one_clear_finding() -> None:
    found = examine(mlp(), nn.CrossEntropyLoss(), train=["words", "more words"])
    assert found.codes[0] == "SY001" and "str" in found.findings[0].saw


def test_the_time_limit_is_kept_by_a_model_that_takes_long() -> None:
    import time

    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = mlp()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            time.sleep(0.3)
            return self.body(x)

    began = time.monotonic()
    found = examine(**classifier(Slow()), time_limit=4)
    assert time.monotonic() - began < 8
    assert any("the time was over" in why for why in found.not_measured.values())


def test_a_lightning_module_of_lightning_itself() -> None:
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            x, y = batch
            loss = F.mse_loss(self.body(x).squeeze(1), y)
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 1e-2)

    found = examine(Module(), train=values(), ignore=QUICK)
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert {"SY203", "SY204", "SY211", "SY408"} <= set(found.passed), found.not_measured
