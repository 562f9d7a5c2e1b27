"""Networks that tick any number of labels: five properties of a written digit."""

from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, digits
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

STYLE = "multilabel"
EVEN, LARGE, LOOP, PRIME, STRAIGHT = (0, 2, 4, 6, 8), (5, 6, 7, 8, 9), (0, 6, 8, 9), (2, 3, 5, 7), (1, 4, 7)
PROPERTIES = torch.tensor([[float(d in each) for each in (EVEN, LARGE, LOOP, PRIME, STRAIGHT)] for d in range(10)])


class Tagger(nn.Module):
    def __init__(self, end: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.tags = nn.Linear(64, 5)
        self.end = end or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.tags(self.encoder(x)))


def program(model: nn.Module, loss: Any, train_target: Any = None, dev_target: Any = None) -> dict[str, Any]:
    train, dev, _ = (Rows(x, PROPERTIES[y]) for x, y in digits())
    train = Rows(train.x, (train_target or (lambda t: t))(train.y))
    dev = Rows(dev.x, (dev_target or train_target or (lambda t: t))(dev.y))
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=128),
        "optimizer": Adam(model.parameters(), lr=3e-3),
    }


def cross_entropy_of_many(broken: bool) -> dict[str, Any]:
    torch.manual_seed(120)
    return program(Tagger(), nn.CrossEntropyLoss() if broken else nn.MultiLabelSoftMarginLoss())


def softmax_and_bce(broken: bool) -> dict[str, Any]:
    torch.manual_seed(121)
    return program(Tagger(nn.Softmax(dim=1) if broken else nn.Sigmoid()), nn.BCELoss())


def bce_of_logits(broken: bool) -> dict[str, Any]:
    torch.manual_seed(122)
    return program(Tagger(None if broken else nn.Sigmoid()), F.binary_cross_entropy)


def sigmoid_twice(broken: bool) -> dict[str, Any]:
    torch.manual_seed(123)
    end = nn.Sigmoid() if broken else None
    return program(Tagger(end), F.binary_cross_entropy_with_logits)


class Ticks(nn.Module):
    """One where the probability is above a half."""

    def forward(self, logits: Tensor) -> Tensor:
        return (logits.sigmoid() > 0.5).float().requires_grad_(torch.is_grad_enabled())


def ticked_before_the_loss(broken: bool) -> dict[str, Any]:
    torch.manual_seed(124)
    return program(Tagger(Ticks() if broken else nn.Sigmoid()), nn.MSELoss())


def labels_in_other_order(broken: bool) -> dict[str, Any]:
    torch.manual_seed(125)
    by_name = [0, 1, 2, 3, 4]
    if broken:  # a set of label names has no order
        by_name = [3, 0, 4, 1, 2]
    return program(Tagger(), nn.BCEWithLogitsLoss(), lambda t: t, lambda t: t[:, by_name])


class Focal(nn.Module):
    """(1 - p)^γ log p of the truth, mean over rows and labels."""

    def __init__(self, gamma: float, minus: bool) -> None:
        super().__init__()
        self.gamma, self.sign = gamma, -1.0 if minus else 1.0

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = F.logsigmoid(logits * (2 * target - 1))
        return (self.sign * (1 - log_p.exp()) ** self.gamma * log_p).mean()


def focal_without_minus(broken: bool) -> dict[str, Any]:
    torch.manual_seed(126)
    return program(Tagger(), Focal(2.0, minus=not broken))


def labels_minus_and_plus_one(broken: bool) -> dict[str, Any]:
    torch.manual_seed(127)
    return program(Tagger(), nn.BCEWithLogitsLoss(), (lambda t: 2 * t - 1) if broken else None)


def dev_labels_inverted(broken: bool) -> dict[str, Any]:
    torch.manual_seed(128)
    return program(Tagger(), nn.BCEWithLogitsLoss(), lambda t: t, (lambda t: 1 - t) if broken else None)


PROGRAMS = [
    Program(
        "cross-entropy of many", STYLE, ("SY216",), "CrossEntropyLoss with multi-hot targets", cross_entropy_of_many
    ),
    Program(
        "softmax and BCE",
        STYLE,
        ("SY211", "SY216", "SY209"),
        "softmax lets only one label be likely, several are true",
        softmax_and_bce,
    ),
    Program("BCE of logits", STYLE, ("SY209",), "binary_cross_entropy gets logits: it raises", bce_of_logits),
    Program("sigmoid twice", STYLE, ("SY201",), "a sigmoid before binary_cross_entropy_with_logits", sigmoid_twice),
    Program(
        "ticked before the loss",
        STYLE,
        ("SY203",),
        "outputs are rounded to 0 and 1 before the loss",
        ticked_before_the_loss,
    ),
    Program(
        "labels in other order",
        STYLE,
        ("SY608",),
        "the columns of dev's labels stand in another order",
        labels_in_other_order,
    ),
    Program("focal without minus", STYLE, ("SY215",), "a focal loss that lacks its minus", focal_without_minus),
    Program(
        "labels minus and plus one",
        STYLE,
        ("SY216", "SY215", "SY211"),
        "BCEWithLogits gets labels -1 and 1: no lower bound",
        labels_minus_and_plus_one,
    ),
    Program("dev labels inverted", STYLE, ("SY608",), "dev's labels are 0 where train's are 1", dev_labels_inverted),
]
