"""Perceptrons for classes whose layers, activations or loss are put together wrongly."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, cancer, digits, wine
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, TensorDataset

STYLE = "mlp"


def loaders(train: Rows, dev: Rows, size: int = 32) -> dict[str, Any]:
    return {
        "train": DataLoader(TensorDataset(*train), batch_size=size, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=256),
    }


def softmax_over_rows(broken: bool) -> dict[str, Any]:
    torch.manual_seed(1)

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(64, 48)
            self.fc2 = nn.Linear(48, 10)

        def forward(self, x):
            x = F.relu(self.fc1(x))
            return F.log_softmax(self.fc2(x), dim=0 if broken else 1)

    train, dev, _ = digits()
    model = Classifier()
    return {
        "model": model,
        "loss": F.nll_loss,
        "optimizer": optim.Adam(model.parameters(), lr=3e-3),
        **loaders(train, dev),
    }


def sigmoid_before_bce_with_logits(broken: bool) -> dict[str, Any]:
    torch.manual_seed(2)
    train, dev, test = (Rows(x, y.float().unsqueeze(1)) for x, y in cancer())
    layers = [nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1)]
    if broken:
        layers.append(nn.Sigmoid())
    model = nn.Sequential(*layers)
    return {
        "model": model,
        "loss": nn.BCEWithLogitsLoss(),
        "optimizer": optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "test": DataLoader(TensorDataset(*test), batch_size=64),
        **loaders(train, dev),
    }


def softmax_of_one_unit(broken: bool) -> dict[str, Any]:
    torch.manual_seed(3)
    train, dev, _ = cancer()
    last = nn.Softmax(dim=1) if broken else nn.Sigmoid()
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1), last)
    criterion = nn.BCELoss()
    return {
        "model": model,
        "loss": lambda p, y: criterion(p, y.view(-1, 1).float()),
        "optimizer": optim.Adam(model.parameters(), lr=2e-3),
        **loaders(train, dev),
    }


class Stack(nn.Module):
    """As many hidden layers as asked for."""

    def __init__(self, depth: int, width: int, registered: bool) -> None:
        super().__init__()
        hidden = [nn.Linear(64 if i == 0 else width, width) for i in range(depth)]
        self.hidden = nn.ModuleList(hidden) if registered else hidden
        self.out = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.out(x)


def layers_in_a_list(broken: bool) -> dict[str, Any]:
    torch.manual_seed(4)
    model = Stack(depth=2, width=40, registered=not broken)
    train, dev, _ = digits()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optim.AdamW(model.parameters(), lr=3e-3),
        "classes": 10,
        **loaders(train, dev),
    }


def one_block_three_times(broken: bool) -> dict[str, Any]:
    torch.manual_seed(5)
    train, dev, _ = digits()

    def block() -> nn.Module:
        return nn.Sequential(nn.Linear(40, 40), nn.LayerNorm(40), nn.GELU())

    body = [block()] * 3 if broken else [block() for _ in range(3)]
    model = nn.Sequential(nn.Linear(64, 40), *body, nn.Linear(40, 10))
    return {
        "model": model,
        "loss": F.cross_entropy,
        "optimizer": optim.Adam(model.parameters(), 2e-3),
        **loaders(train, dev),
    }


def linear_all_the_way(broken: bool) -> dict[str, Any]:
    torch.manual_seed(6)
    x, y = make_circles(1200, noise=0.08, factor=0.5, random_state=0)
    x_train, x_dev, y_train, y_dev = train_test_split(x / x.std(0), y, test_size=300, random_state=0, stratify=y)

    class Circles(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1, self.l2, self.l3 = nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 2)

        def forward(self, x):
            if broken:
                return self.l3(self.l2(self.l1(x)))
            return self.l3(torch.tanh(self.l2(torch.tanh(self.l1(x)))))

    net = Circles()
    train = TensorDataset(torch.tensor(x_train).float(), torch.tensor(y_train))
    dev = TensorDataset(torch.tensor(x_dev).float(), torch.tensor(y_dev))
    return {
        "model": net,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(train, 50, shuffle=True),
        "dev": DataLoader(dev, 50),
        "optimizer": optim.Adam(net.parameters(), lr=0.01),
    }


def relu_after_every_layer(broken: bool) -> dict[str, Any]:
    torch.manual_seed(7)
    sizes = [64, 64, 32, 10]
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(fan_in, fan_out))
        if broken or i < len(sizes) - 2:
            layers.append(nn.ReLU())
    model = nn.Sequential(*layers)
    train, dev, _ = digits()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        **loaders(train, dev, 64),
    }


class LogLikelihood(nn.Module):
    """Mean log likelihood of the true class."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = logits - logits.logsumexp(dim=1, keepdim=True)
        return self.sign * log_p.gather(1, target.unsqueeze(1)).mean()


def minus_forgotten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(8)
    train, dev, _ = wine()
    model = nn.Sequential(nn.Linear(13, 20), nn.Tanh(), nn.Linear(20, 3))
    return {
        "model": model,
        "loss": LogLikelihood(1.0 if broken else -1.0),
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        **loaders(train, dev, 16),
    }


def squared_error_on_class_codes(broken: bool) -> dict[str, Any]:
    torch.manual_seed(9)
    train, dev, _ = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1 if broken else 10))

    def criterion(prediction, label):
        if broken:
            return F.mse_loss(prediction, label.float().unsqueeze(1))
        return F.cross_entropy(prediction, label)

    return {
        "model": model,
        "loss": criterion,
        "optimizer": optim.Adam(model.parameters(), lr=2e-3),
        "classes": 10,
        **loaders(train, dev),
    }


def labels_from_one(broken: bool) -> dict[str, Any]:
    torch.manual_seed(10)
    train, dev, _ = digits()
    first = 1 if broken else 0  # the file stores the digit 0 as class 1
    train, dev = Rows(train.x, train.y + first), Rows(dev.x, dev.y + first)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optim.Adam(model.parameters(), lr=3e-3),
        **loaders(train, dev),
    }


def nll_of_raw_outputs(broken: bool) -> dict[str, Any]:
    torch.manual_seed(11)
    train, dev, _ = wine()
    model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
    if not broken:
        model.append(nn.LogSoftmax(dim=-1))
    return {
        "model": model,
        "loss": nn.NLLLoss(),
        "optimizer": optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        **loaders(train, dev, 16),
    }


PROGRAMS = [
    Program(
        "softmax over rows",
        STYLE,
        ("SY205", "SY209"),
        "log_softmax runs over dim 0, the batch, not over the classes",
        softmax_over_rows,
    ),
    Program(
        "sigmoid before BCEWithLogits",
        STYLE,
        ("SY201",),
        "the network ends in a sigmoid and the loss applies it again",
        sigmoid_before_bce_with_logits,
    ),
    Program(
        "softmax of one unit",
        STYLE,
        ("SY206", "SY211", "SY209"),
        "softmax over the only output is 1 whatever the input",
        softmax_of_one_unit,
    ),
    Program(
        "layers in a list",
        STYLE,
        ("SY207", "SY204"),
        "hidden layers stand in a Python list, so that parameters() does not know them",
        layers_in_a_list,
    ),
    Program(
        "one block three times",
        STYLE,
        ("SY217",),
        "[block()] * 3 is one block applied three times",
        one_block_three_times,
    ),
    Program("linear all the way", STYLE, ("SY218",), "no activation between the layers", linear_all_the_way),
    Program(
        "ReLU after every layer",
        STYLE,
        ("SY219",),
        "the loop puts a ReLU behind the last layer, too: no logit is below zero",
        relu_after_every_layer,
    ),
    Program(
        "minus forgotten", STYLE, ("SY215",), "the log likelihood is minimised, for want of a minus", minus_forgotten
    ),
    Program(
        "squared error on class codes",
        STYLE,
        ("SY216", "SY210"),
        "one output and the squared error on the codes 0 to 9 of ten classes",
        squared_error_on_class_codes,
    ),
    Program("labels from one", STYLE, ("SY210",), "labels run from 1 to 10 for ten outputs", labels_from_one),
    Program("NLL of raw outputs", STYLE, ("SY209",), "NLLLoss gets logits: log_softmax is missing", nll_of_raw_outputs),
]
