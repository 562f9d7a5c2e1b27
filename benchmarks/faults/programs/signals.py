"""Deep plain networks and functions with a backward of their own: do signals and gradients arrive?"""

from typing import Any

import torch
from torch import Tensor, nn

from programs.data import digits, loader
from programs.program import Given, Program


def plain(fault: str | None) -> Given:
    """Eight plain layers, started as He et al. (2015) do, SGD."""
    x, dev_x, y, dev_y = digits()
    width, depth = 64, 24 if fault == "24 layers of sigmoids" else 7
    activation: Any = nn.Sigmoid if fault == "24 layers of sigmoids" else nn.ReLU
    if fault == "no activation at all":
        activation = nn.Identity
    model = nn.Sequential(
        *[part for _ in range(depth) for part in (nn.Linear(width, width), activation())], nn.Linear(width, 10)
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            if fault == "started with a deviation of 0.01":
                nn.init.normal_(layer.weight, std=0.01)
            elif fault == "started with a deviation of 1":
                nn.init.normal_(layer.weight, std=1.0)
            elif fault == "started with one value":
                nn.init.constant_(layer.weight, 0.05)
            elif fault != "24 layers of sigmoids":
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer is model[-1] else "relu")
            nn.init.constant_(layer.bias, -6.0 if fault == "biases of -6" else 0.0)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x.reshape(len(x), -1) / 8 - 1, y, batch=32, shuffle=True),
        "dev": loader(dev_x.reshape(len(dev_x), -1) / 8 - 1, dev_y, batch=32),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9),
    }


def tanh_net(fault: str | None) -> Given:
    """Tanh between Linear layers, Xavier's start."""
    x, dev_x, y, dev_y = digits()
    scale = 16.0 if fault == "inputs that saturate tanh" else 1.0
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    for layer in (model[1], model[3]):
        nn.init.xavier_uniform_(layer.weight, gain=60.0 if fault == "a gain of 60" else 1.0)
    if fault == "a hook that keeps gradients back":
        model[1].weight.register_hook(lambda gradient: gradient * 0.0)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader((x / 8 - 1) * scale, y, batch=32, shuffle=True),
        "dev": loader((dev_x / 8 - 1) * scale, dev_y, batch=32),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


class Swish(torch.autograd.Function):
    """x · sigmoid(x), with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        sigmoid = torch.sigmoid(x)
        return gradient * (sigmoid + x * sigmoid * (1 - sigmoid))


class SwishWithoutChainRule(Swish):
    """Its backward forgets what comes from above."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        sigmoid = torch.sigmoid(x)
        return sigmoid + x * sigmoid * (1 - sigmoid)


class SwishWithoutProduct(Swish):
    """Its backward has one term of two."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * torch.sigmoid(x)


class Affine(torch.autograd.Function):
    """x Wᵀ + b with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return gradient @ weight, gradient.T @ x, gradient.sum(0)


class AffineWithoutWeight(Affine):
    """Its backward gives the weights nothing."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        _, weight = ctx.saved_tensors
        return gradient @ weight, None, gradient.sum(0)


class AffineOfTheMean(Affine):
    """Its backward takes the mean of the bias's gradients and turns the sign of the inputs'."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return -gradient @ weight, gradient.T @ x, gradient.mean(0)


class OwnNet(nn.Module):
    """A network of functions with their own backward."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.first = nn.Linear(64, 48)
        self.weight, self.bias = nn.Parameter(torch.randn(48, 48) * 0.15), nn.Parameter(torch.zeros(48))
        self.last = nn.Linear(48, 10)
        self.swish: Any = {
            "backward forgets the gradient from above": SwishWithoutChainRule,
            "backward forgets one term": SwishWithoutProduct,
        }.get(fault or "", Swish)
        self.affine: Any = {
            "backward gives the weights nothing": AffineWithoutWeight,
            "backward with a wrong sign": AffineOfTheMean,
        }.get(fault or "", Affine)

    def forward(self, x: Tensor) -> Tensor:
        x = self.swish.apply(self.first(x))
        return self.last(self.swish.apply(self.affine.apply(x, self.weight, self.bias)))


def own_functions(fault: str | None) -> Given:
    """Two autograd.Functions in a classifier."""
    x, dev_x, y, dev_y = digits()
    model = OwnNet(fault)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x.reshape(len(x), -1) / 16, y, batch=32, shuffle=True),
        "dev": loader(dev_x.reshape(len(dev_x), -1) / 16, dev_y, batch=32),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


PROGRAMS = (
    Program(
        "plain and deep",
        "signals",
        plain,
        {
            "24 layers of sigmoids": ("SY402", "SY303", "SY511"),
            "no activation at all": ("SY218",),
            "started with a deviation of 0.01": ("SY303", "SY402"),
            "started with a deviation of 1": ("SY303", "SY301", "SY402"),
            "started with one value": ("SY302",),
            "biases of -6": ("SY403",),
        },
    ),
    Program(
        "tanh",
        "signals",
        tanh_net,
        {
            "inputs that saturate tanh": ("SY404", "SY102"),
            "a gain of 60": ("SY404", "SY303"),
            "a hook that keeps gradients back": ("SY203", "SY405", "SY410"),
        },
    ),
    Program(
        "own functions",
        "signals",
        own_functions,
        {
            "backward forgets the gradient from above": ("SY406", "SY405"),
            "backward forgets one term": ("SY406", "SY405"),
            "backward gives the weights nothing": ("SY203", "SY406", "SY405"),
            "backward with a wrong sign": ("SY406", "SY405"),
        },
    ),
)
