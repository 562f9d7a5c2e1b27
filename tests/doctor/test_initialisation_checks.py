"""The checks of initialisation, and of gradients at the start, name planted faults and are silent on sound programs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import Setup, Square, Squeezed, classifier, mlp, regressor
from sequences import Reader, Residual, classified, language, pictures, program, series
from torch import nn
from torch.nn import functional as F

from steelyard.doctor import examine
from steelyard.doctor.layer_check import check_layer

LEFT_OUT = ("SY1", "SY2", "SY5", "SY6")


def filled(model: nn.Module, fill: Callable[[torch.Tensor], Any], matrices_only: bool = True) -> nn.Module:
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1 or not matrices_only:
                fill(p)
    return model


def deep(layers: int, activation: Callable[[], nn.Module], width: int = 32) -> nn.Module:
    torch.manual_seed(0)
    middle = [m for _ in range(layers - 2) for m in (nn.Linear(width, width), activation())]
    return nn.Sequential(nn.Linear(10, width), activation(), *middle, nn.Linear(width, 4))


class Stack(nn.Module):
    """Residual layers, with normalisation before each, and zeros at the end of each branch where asked for."""

    def __init__(self, layers: int = 12, normed: bool = True, zero: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.head = nn.Linear(10, 32), nn.Linear(32, 4)
        norm: Callable[[int], nn.Module] = nn.LayerNorm if normed else lambda _: nn.Identity()
        self.layers = nn.ModuleList(
            nn.Sequential(norm(32), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 32)) for _ in range(layers)
        )
        if zero:
            for layer in self.layers:
                nn.init.zeros_(layer[3].weight)
            nn.init.zeros_(self.head.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.into(x)
        for layer in self.layers:
            x = x + layer(x)
        return self.head(x)


class Functional(nn.Module):
    """Activations as functions; the first bias and the first weights times a factor are as given."""

    def __init__(
        self, activation: Callable[[torch.Tensor], torch.Tensor], bias: float = 0.0, times: float = 1.0
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.head, self.activation = (
            nn.Linear(10, 32),
            nn.Linear(32, 32),
            nn.Linear(32, 4),
            activation,
        )
        with torch.no_grad():
            self.one.bias.add_(bias)
            self.one.weight.mul_(times)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.relu(self.two(self.activation(self.one(x)))))


def alike_reader() -> nn.Module:
    model = Reader()
    filled(model.read, lambda p: p.fill_(0.1))
    return model


def dead_channels() -> nn.Module:
    model = Residual()
    with torch.no_grad():
        model.stem[1].bias[:7] = -30.0
    return model


class Reversed(torch.autograd.Function):
    """Changes nothing forwards, and turns the gradient round, for an adversary."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return -grad


class Binary(torch.autograd.Function):
    """A sign with the gradient of a tanh in its place."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return grad * (1 - ctx.saved_tensors[0].tanh() ** 2)


class Product(torch.autograd.Function):
    """x Wᵀ; `HALF` is a factor too much in the gradient of W."""

    HALF = 1.0

    @staticmethod
    def forward(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return x @ w.t()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @classmethod
    def backward(cls, ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, w = ctx.saved_tensors
        return grad @ w, cls.HALF * grad.t() @ x


class HalfProduct(Product):
    HALF = 0.5


class Own(nn.Module):
    def __init__(self, product: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.w, self.head, self.product = nn.Parameter(0.3 * torch.randn(16, 10)), nn.Linear(16, 4), product

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.product.apply(x, self.w)))


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "weights of a thousandth": ("SY303", lambda: classifier(filled(mlp(), lambda p: p.mul_(0.01)))),
    "twelve sigmoids": ("SY303", lambda: classifier(deep(12, nn.Sigmoid))),
    "weights that blow up": ("SY303", lambda: classifier(filled(deep(8, nn.ReLU), lambda p: nn.init.normal_(p)))),
    "outputs of values in the hundreds": (
        "SY301",
        lambda: regressor(Squeezed(filled(mlp(6, 1), lambda p: p.mul_(12)), lambda out: out.squeeze(1))),
    ),
    "constant weights": ("SY302", lambda: classifier(filled(mlp(), lambda p: p.fill_(0.1)))),
    "constant kernels": (
        "SY302",
        lambda: program(filled(Residual(), lambda p: nn.init.constant_(p, 0.05)), pictures(), nn.CrossEntropyLoss()),
    ),
    "constant weights of a recurrent layer": (
        "SY302",
        lambda: program(alike_reader(), series(), nn.CrossEntropyLoss()),
    ),
    "dead functions": ("SY403", lambda: classifier(Functional(F.relu, bias=-30.0))),
    "dead channels": ("SY403", lambda: program(dead_channels(), pictures(), nn.CrossEntropyLoss())),
    "saturated functions": ("SY404", lambda: classifier(Functional(torch.tanh, times=100.0))),
    "a gate that is shut": ("SY404", lambda: classifier(Functional(torch.sigmoid, bias=-20.0))),
    "twenty tanhs of small weights": (
        "SY402",
        lambda: classifier(filled(deep(12, nn.Tanh), lambda p: nn.init.normal_(p, std=0.03))),
    ),
    "half of a gradient": ("SY406", lambda: classifier(Own(HalfProduct))),
    "a square without its factor": ("SY406", lambda: classifier(Squeezed(mlp(), lambda out: out + Square.apply(out)))),
}
SOUND: dict[str, Callable[[], Setup]] = {
    "twelve residual layers": lambda: classifier(Stack()),
    "residual layers without normalisation": lambda: classifier(Stack(normed=False)),
    "branches and a head that start at zero": lambda: classifier(Stack(zero=True)),
    "eight plain layers": lambda: classifier(deep(8, nn.ReLU)),
    "a narrow start": lambda: classifier(filled(mlp(), lambda p: nn.init.trunc_normal_(p, std=0.05))),
    "a residual network": lambda: program(Residual(), pictures(), nn.CrossEntropyLoss()),
    "a recurrent reader": lambda: program(Reader(), series(), nn.CrossEntropyLoss()),
    "a causal transformer": lambda: language("causal"),
    "a transformer with padding": classified,
    "gradients turned round": lambda: classifier(Squeezed(mlp(), Reversed.apply)),
    "a sign with a gradient": lambda: classifier(nn.Sequential(nn.Linear(10, 32), Signs(), nn.Linear(32, 4))),
    "a product of one's own": lambda: classifier(Own(Product)),
    "probabilities that are nearly certain": lambda: confident(),
    "functions": lambda: classifier(Functional(torch.tanh)),
}


class Signs(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Binary.apply(x)


def confident() -> Setup:
    """A sigmoid at the end, whose ends are answers."""
    model = nn.Sequential(filled(mlp(10, 1), lambda p: p.mul_(4)), nn.Sigmoid(), nn.Flatten(0))
    train = [(x, (x[:, 0] > 0).float()) for x, _ in classifier()["train"]]
    return program(model, train, nn.BCELoss())


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    found = examine(**setup(), ignore=LEFT_OUT)
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (found.codes, found.not_measured.get(code))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_has_no_finding(name: str) -> None:
    found = examine(**SOUND[name](), ignore=LEFT_OUT)
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


def test_a_layer_is_checked_alone_and_its_wrong_part_is_named() -> None:
    x, w = torch.randn(3, 4), torch.randn(2, 4)
    wrong = check_layer(HalfProduct.apply, x, w)
    assert (wrong.grade, wrong.worst) == ("wrong", "input 2")
    assert wrong.parts["input 1"].grade == "right"
    assert check_layer(Product.apply, x, w).grade == "right"


def test_a_module_is_checked_with_its_parameters_and_stays_as_it_was() -> None:
    layer = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 3), nn.Dropout(0.5), nn.ReLU())
    found = check_layer(layer, torch.randn(5, 4))
    assert found.grade == "right" and set(found.parts) >= {"input 1", "0.weight", "1.bias"}
    assert layer[1].weight.dtype == torch.float32 and layer.training


def test_what_has_no_graph_or_is_random_is_refused() -> None:
    with pytest.raises(ValueError, match="no graph"):
        check_layer(lambda x: x.detach(), torch.randn(3))
    with pytest.raises(ValueError, match="different outputs"):
        check_layer(lambda x: F.dropout(x, 0.5), torch.randn(50))
