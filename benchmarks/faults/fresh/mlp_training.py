"""Perceptrons for classes whose first weights, optimizer or regularisation are wrong."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, cancer, digits, wine
from torch import Tensor, nn
from torch.optim import SGD, Adam
from torch.utils.data import DataLoader, TensorDataset

STYLE = "mlp training"


class Perceptron(nn.Module):
    def __init__(self, inputs: int, hidden: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.dropout = nn.Dropout(p=dropout)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.backbone(x)))


def program(model: nn.Module, rows: tuple[Rows, Rows, Rows], optimizer: Any, loss: Any = None) -> dict[str, Any]:
    train, dev, test = (TensorDataset(*each) for each in rows)
    return {
        "model": model,
        "loss": loss or nn.CrossEntropyLoss(),
        "train": DataLoader(train, batch_size=32, shuffle=True),
        "dev": DataLoader(dev, batch_size=128),
        "test": DataLoader(test, batch_size=128),
        "optimizer": optimizer,
    }


def rate_too_high(broken: bool) -> dict[str, Any]:
    torch.manual_seed(20)
    net = Perceptron(64, 50, 10)
    return program(net, digits(), SGD(net.parameters(), lr=10.0 if broken else 0.1))


def rate_too_low(broken: bool) -> dict[str, Any]:
    torch.manual_seed(21)
    net = Perceptron(64, 50, 10)
    return program(net, digits(), Adam(net.parameters(), lr=1e-7 if broken else 1e-3))


def decay_too_strong(broken: bool) -> dict[str, Any]:
    torch.manual_seed(22)
    net = Perceptron(64, 50, 10)
    return program(net, digits(), Adam(net.parameters(), lr=2e-3, weight_decay=1.0 if broken else 1e-5))


def momentum_too_high(broken: bool) -> dict[str, Any]:
    torch.manual_seed(23)
    net = Perceptron(64, 50, 10)
    return program(net, digits(), SGD(net.parameters(), lr=0.05, momentum=0.9999 if broken else 0.9))


def head_replaced_too_late(broken: bool) -> dict[str, Any]:
    torch.manual_seed(24)
    net = Perceptron(30, 24, 1000)  # as it was trained on another task
    if broken:
        optimizer = Adam(net.parameters(), lr=2e-3)
        net.head = nn.Linear(24, 2)
    else:
        net.head = nn.Linear(24, 2)
        optimizer = Adam(net.parameters(), lr=2e-3)
    return program(net, cancer(), optimizer)


def backbone_left_frozen(broken: bool) -> dict[str, Any]:
    torch.manual_seed(25)
    net = Perceptron(64, 40, 10)
    if broken:  # nothing was pretrained
        for parameter in net.backbone.parameters():
            parameter.requires_grad_(False)
    return program(net, digits(), Adam([p for p in net.parameters() if p.requires_grad], lr=2e-3))


def smoothing_is_confidence(broken: bool) -> dict[str, Any]:
    torch.manual_seed(26)
    net = Perceptron(64, 40, 10)
    loss = nn.CrossEntropyLoss(label_smoothing=0.95 if broken else 0.05)
    return program(net, digits(), Adam(net.parameters(), lr=2e-3), loss)


def error_rate_as_loss(broken: bool) -> dict[str, Any]:
    torch.manual_seed(27)
    net = Perceptron(13, 24, 3)

    def error_rate(logits: Tensor, y: Tensor) -> Tensor:
        wrong = (logits.argmax(dim=1) != y).float().mean()
        return wrong.requires_grad_(True)

    return program(net, wine(), Adam(net.parameters(), lr=3e-3), error_rate if broken else F.cross_entropy)


def all_weights_alike(broken: bool) -> dict[str, Any]:
    torch.manual_seed(28)
    net = Perceptron(64, 64, 10)
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            if broken:
                nn.init.constant_(layer.weight, 0.02)
            else:
                nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return program(net, digits(), SGD(net.parameters(), lr=0.1, momentum=0.9))


def weights_of_deviation_one(broken: bool) -> dict[str, Any]:
    torch.manual_seed(29)
    layers: list[nn.Module] = []
    for fan_in in (64, 100, 100, 100):
        linear = nn.Linear(fan_in, 100)
        nn.init.normal_(linear.weight, std=1.0 if broken else math.sqrt(1 / fan_in))
        layers += [linear, nn.Tanh()]
    net = nn.Sequential(*layers, nn.Linear(100, 10))
    return program(net, digits(), SGD(net.parameters(), lr=0.05, momentum=0.9))


def biases_far_below_zero(broken: bool) -> dict[str, Any]:
    torch.manual_seed(30)
    net = Perceptron(64, 48, 10)
    with torch.no_grad():
        for layer in net.backbone:
            if isinstance(layer, nn.Linear):
                layer.bias.fill_(-10.0 if broken else 0.01)
    return program(net, digits(), SGD(net.parameters(), lr=0.1, momentum=0.9))


def keep_probability(broken: bool) -> dict[str, Any]:
    torch.manual_seed(31)
    keep = 0.95
    net = Perceptron(64, 64, 10, dropout=keep if broken else 1 - keep)
    return program(net, digits(), Adam(net.parameters(), lr=2e-3))


def seven_sigmoids(broken: bool) -> dict[str, Any]:
    torch.manual_seed(32)
    layers: list[nn.Module] = []
    for fan_in in (64, 40, 40, 40, 40, 40, 40):
        linear = nn.Linear(fan_in, 40)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Sigmoid() if broken else nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(40, 10))
    return program(net, digits(), Adam(net.parameters(), lr=1e-3))


PROGRAMS = [
    Program("rate too high", STYLE, ("SY502", "SY505"), "SGD with a learning rate of 10", rate_too_high),
    Program("rate too low", STYLE, ("SY503", "SY504"), "Adam with a learning rate of 1e-7", rate_too_low),
    Program("decay too strong", STYLE, ("SY508",), "Adam with a weight decay of 1", decay_too_strong),
    Program("momentum too high", STYLE, ("SY505", "SY502"), "a momentum of 0.9999", momentum_too_high),
    Program(
        "head replaced too late",
        STYLE,
        ("SY204",),
        "the optimizer was made before the head was replaced: it holds the old one",
        head_replaced_too_late,
    ),
    Program(
        "backbone left frozen",
        STYLE,
        ("SY410", "SY203"),
        "the backbone is frozen as if it were pretrained; its weights are random",
        backbone_left_frozen,
    ),
    Program(
        "smoothing is confidence",
        STYLE,
        ("SY501", "SY504"),
        "label_smoothing is given the share of the true class, 0.95, where the rest is meant",
        smoothing_is_confidence,
    ),
    Program(
        "error rate as loss",
        STYLE,
        ("SY203",),
        "the error rate is minimised, made differentiable by requires_grad_ alone",
        error_rate_as_loss,
    ),
    Program("all weights alike", STYLE, ("SY302",), "all weights of a layer start at one value", all_weights_alike),
    Program(
        "weights of deviation one",
        STYLE,
        ("SY303", "SY404", "SY301", "SY402"),
        "weights start with a standard deviation of 1: every tanh is saturated",
        weights_of_deviation_one,
    ),
    Program(
        "biases far below zero", STYLE, ("SY403",), "biases start at -10: no ReLU ever fires", biases_far_below_zero
    ),
    Program("keep probability", STYLE, ("SY221",), "dropout is given the share to keep, 0.95", keep_probability),
    Program(
        "seven sigmoids",
        STYLE,
        ("SY402", "SY511", "SY303", "SY504"),
        "seven hidden layers of sigmoids: the gradient vanishes",
        seven_sigmoids,
    ),
]
