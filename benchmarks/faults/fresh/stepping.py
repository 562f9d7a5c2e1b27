"""Programs with a training step of their own."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, cancer, digits, friedman
from torch import Tensor, nn
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset

STYLE = "own step"


def network(inputs: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(dropout), nn.Linear(40, outputs)
    )


def loaders(train: Rows, dev: Rows, drop_last: bool = False) -> dict[str, Any]:
    return {
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True, drop_last=drop_last),
        "dev": DataLoader(TensorDataset(*dev), batch_size=64),
    }


def zero_grad_forgotten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(180)
    train, dev, _ = digits()
    model = network(64, 10)
    criterion = nn.CrossEntropyLoss()
    optimizer = SGD(model.parameters(), lr=0.05)

    def step(batch: tuple[Tensor, Tensor]) -> float:
        x, y = batch
        if not broken:
            optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return {"model": model, "loss": criterion, "optimizer": optimizer, "step": step, **loaders(train, dev)}


def step_forgotten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(181)
    train, dev, _ = digits()
    model = network(64, 10)

    def step(model, batch, optimizer):
        x, y = batch
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if not broken:
            optimizer.step()
        return loss

    return {
        "model": model,
        "loss": F.cross_entropy,
        "optimizer": Adam(model.parameters(), lr=3e-3),
        "step": step,
        **loaders(train, dev),
    }


def gradient_cleared_too_late(broken: bool) -> dict[str, Any]:
    torch.manual_seed(182)
    train, dev, _ = cancer()
    model = network(30, 2)

    def step(model, batch, optimizer):
        features, target = batch
        loss = F.cross_entropy(model(features), target)
        if not broken:
            optimizer.zero_grad()
        loss.backward()
        if broken:
            optimizer.zero_grad()
        optimizer.step()
        return {"loss": loss.detach()}

    return {
        "model": model,
        "loss": F.cross_entropy,
        "optimizer": SGD(model.parameters(), lr=0.1, momentum=0.9),
        "step": step,
        **loaders(train, dev),
    }


def evaluation_mode_stays(broken: bool) -> dict[str, Any]:
    torch.manual_seed(183)
    train, dev, _ = digits()
    model = network(64, 10, dropout=0.3)
    optimizer = Adam(model.parameters(), lr=3e-3)

    def accuracy(x: Tensor, y: Tensor) -> float:
        model.eval()
        with torch.no_grad():
            share = (model(x).argmax(1) == y).float().mean().item()
        if not broken:
            model.train()
        return share

    def step(batch):
        x, y = batch
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item(), accuracy(x, y)

    return {"model": model, "loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "step": step, **loaders(train, dev)}


def loss_made_anew(broken: bool) -> dict[str, Any]:
    torch.manual_seed(184)
    train, dev, _ = friedman()
    model = network(10, 1)
    optimizer = Adam(model.parameters(), lr=5e-3)

    def compare(prediction: Tensor, truth: Tensor) -> Tensor:
        return F.mse_loss(prediction.squeeze(1), truth)

    def step(batch):
        x, y = batch
        optimizer.zero_grad()
        loss = compare(model(x), y)
        if broken:
            loss = torch.tensor(loss.item(), requires_grad=True)
        loss.backward()
        optimizer.step()

    return {"model": model, "loss": compare, "optimizer": optimizer, "step": step, **loaders(train, dev)}


def clipped_to_a_millionth(broken: bool) -> dict[str, Any]:
    torch.manual_seed(185)
    train, dev, _ = digits()
    model = network(64, 10)

    def step(model, x, y, optimizer, loss):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1e-6 if broken else 1.0)
        optimizer.step()
        return value.item()

    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": SGD(model.parameters(), lr=0.1),
        "step": step,
        **loaders(train, dev),
    }


def optimizer_of_a_copy(broken: bool) -> dict[str, Any]:
    torch.manual_seed(186)
    train, dev, _ = digits()
    model = network(64, 10)
    best = copy.deepcopy(model)  # kept for the best weights
    optimizer = Adam((best if broken else model).parameters(), lr=3e-3)

    def step(batch):
        x, y = batch
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return {"model": model, "loss": F.cross_entropy, "optimizer": optimizer, "step": step, **loaders(train, dev)}


def rate_halved_every_batch(broken: bool) -> dict[str, Any]:
    torch.manual_seed(187)
    train, dev, _ = digits()
    model = network(64, 10)
    optimizer = Adam(model.parameters(), lr=3e-3)
    scheduler = ExponentialLR(optimizer, gamma=0.5 if broken else 0.999)

    def step(batch):
        x, y = batch
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss.item()

    return {"model": model, "loss": F.cross_entropy, "optimizer": optimizer, "step": step, **loaders(train, dev)}


def labels_of_the_last_batch(broken: bool) -> dict[str, Any]:
    torch.manual_seed(188)
    train, dev, _ = digits()
    model = network(64, 10)
    optimizer = Adam(model.parameters(), lr=3e-3)
    waiting: dict[str, Tensor] = {}

    def step(batch):
        x, y = batch
        target = waiting.get("y", y) if broken else y
        waiting["y"] = y
        loss = F.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return {
        "model": model,
        "loss": F.cross_entropy,
        "optimizer": optimizer,
        "step": step,
        **loaders(train, dev, drop_last=True),
    }


def name_bound_anew(broken: bool) -> dict[str, Any]:
    torch.manual_seed(189)
    train, dev, _ = friedman()
    model = network(10, 1)

    def mean_squared(out, y):
        return ((out[:, 0] - y) ** 2).mean()

    def step(model, batch):
        x, y = batch
        model.zero_grad()
        loss = mean_squared(model(x), y)
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                if broken:
                    p = p - 0.05 * p.grad
                else:
                    p -= 0.05 * p.grad
        return loss.item()

    return {"model": model, "loss": mean_squared, "step": step, **loaders(train, dev)}


def up_the_gradient(broken: bool) -> dict[str, Any]:
    torch.manual_seed(190)
    train, dev, _ = cancer()
    model = network(30, 2)
    rate = -0.05 if broken else 0.05

    def step(model, batch):
        x, y = batch
        loss = F.cross_entropy(model(x), y)
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, grad in zip(model.parameters(), grads, strict=True):
                parameter.sub_(rate * grad)
        return loss.item()

    return {"model": model, "loss": F.cross_entropy, "step": step, **loaders(train, dev)}


def accumulated_for_ever(broken: bool) -> dict[str, Any]:
    torch.manual_seed(191)
    train, dev, _ = digits()
    model = network(64, 10)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    count = 0

    def step(batch):
        nonlocal count
        x, y = batch
        loss = F.cross_entropy(model(x), y)
        (loss / 2).backward()
        count += 1
        if count % 2 == 0:
            optimizer.step()
            if not broken:
                optimizer.zero_grad()
        return loss.item()

    return {"model": model, "loss": F.cross_entropy, "optimizer": optimizer, "step": step, **loaders(train, dev)}


PROGRAMS = [
    Program("zero_grad forgotten", STYLE, ("SY407",), "gradients are never set to zero", zero_grad_forgotten),
    Program("step forgotten", STYLE, ("SY408",), "optimizer.step() is never called", step_forgotten),
    Program(
        "gradient cleared too late",
        STYLE,
        ("SY408",),
        "zero_grad stands between backward and step",
        gradient_cleared_too_late,
    ),
    Program(
        "evaluation mode stays",
        STYLE,
        ("SY609",),
        "accuracy() switches to evaluation mode and the step never back",
        evaluation_mode_stays,
    ),
    Program(
        "loss made anew",
        STYLE,
        ("SY203", "SY408"),
        "the loss is wrapped in a new tensor, off the graph, before backward",
        loss_made_anew,
    ),
    Program(
        "clipped to a millionth",
        STYLE,
        ("SY409", "SY408", "SY503"),
        "gradients are clipped to a norm of 1e-6",
        clipped_to_a_millionth,
    ),
    Program(
        "optimizer of a copy",
        STYLE,
        ("SY204", "SY408"),
        "the optimizer holds the parameters of a deep copy",
        optimizer_of_a_copy,
    ),
    Program(
        "rate halved every batch",
        STYLE,
        ("SY503", "SY504", "SY408"),
        "a schedule meant for epochs halves the learning rate after every batch",
        rate_halved_every_batch,
    ),
    Program(
        "labels of the last batch",
        STYLE,
        ("SY109", "SY504"),
        "the step compares with the labels of the batch before",
        labels_of_the_last_batch,
    ),
    Program(
        "name bound anew", STYLE, ("SY408",), "p = p - lr * grad binds a name and changes no weight", name_bound_anew
    ),
    Program(
        "up the gradient",
        STYLE,
        ("SY215", "SY504", "SY502", "SY506"),
        "a hand-written update goes up the gradient",
        up_the_gradient,
    ),
    Program(
        "accumulated for ever",
        STYLE,
        ("SY407",),
        "gradients of two batches are accumulated and never set to zero",
        accumulated_for_ever,
    ),
]
