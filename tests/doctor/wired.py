"""Models and losses with faults of wiring, and sound ones that look alike."""

from collections.abc import Callable
from typing import Any

import torch
from programs import Setup, Squeezed, blobs, classifier, labels, mlp
from sequences import (
    Language,
    batches,
    drawn,
    program,
    tokens,
)
from torch import nn
from torch.nn import functional as F


class Sliced(nn.Module):
    """Reads the first columns only."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.body, self.columns = mlp(columns), columns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x[:, : self.columns])


class Both(nn.Module):
    """Two inputs; `used` says whether the second one is used, `zero` whether its branch starts at zero."""

    def __init__(self, used: bool = True, zero: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.used = mlp(10), mlp(6), used
        if zero:
            nn.init.zeros_(self.two[4].weight)
            nn.init.zeros_(self.two[4].bias)

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return self.one(x) + (self.two(z) if self.used else self.two(x[:, :6]))


def two_inputs(**options: bool) -> Setup:
    x, z = torch.randn(128, 10, generator=drawn()), torch.randn(128, 6, generator=drawn(1))
    return program(Both(**options), batches(x, z, (x[:, 0] + z[:, 0] > 0).long()), nn.CrossEntropyLoss())


def negative(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return -F.cross_entropy(out, y)


def own_log_likelihood(sign: float) -> Callable[..., torch.Tensor]:
    return lambda out, y: sign * torch.log_softmax(out, 1).gather(1, y[:, None]).mean()


def own_squares(sign: float) -> Callable[..., torch.Tensor]:
    return lambda out, y: sign * ((out - y) ** 2).mean()


def maximising(loss: Any, **more: Any) -> Setup:
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, maximize=True)
    return classifier(model, loss=loss, optimizer=optimizer, **more)


def multi_hot(loss: Any) -> Setup:
    return labels() | {"loss": loss}


def codes_as_values(classes: int = 5) -> Setup:
    return classifier(Squeezed(mlp(10, 1), lambda out: out.squeeze(1)), train=blobs(classes=classes), dev=None) | {
        "loss": lambda out, y: F.mse_loss(out, y.float())
    }


def stacked(layer: Callable[[], nn.Module], together: bool) -> nn.Module:
    torch.manual_seed(0)
    layers = [layer()] * 3 if together else [layer() for _ in range(3)]
    return nn.Sequential(nn.Linear(10, 16), nn.ReLU(), *layers, nn.Linear(16, 4))


def block() -> nn.Module:
    return nn.Sequential(nn.Linear(16, 16), nn.ReLU())


class Heads(nn.Module):
    """One head, or copies of it in a list, for the two ends of a sequence of two layers (as detectors share theirs)."""

    def __init__(self, same_input: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = nn.Linear(10, 16), nn.Linear(16, 16)
        self.heads, self.same_input = nn.ModuleList([nn.Linear(16, 4)] * 2), same_input

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = F.relu(self.one(x))
        second = first if self.same_input else F.relu(self.two(first))
        return self.heads[0](first) + self.heads[1](second)


class Towers(nn.Module):
    """Two towers that share a layer under two names on purpose, and keep one under a short name as well."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.query = self.key = nn.Linear(5, 16)
        self.fc1 = nn.Linear(32, 4)
        self.head = nn.Sequential(nn.ReLU(), self.fc1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.query(x[:, :5]), self.key(x[:, 5:])], 1))


class Tied(Language):
    """Ties the head to the embedding."""

    def __init__(self) -> None:
        super().__init__("causal")
        self.head = nn.Linear(16, 20, bias=False)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.head.weight = self.embed.weight


def linear(*layers: nn.Module) -> Setup:
    return classifier(nn.Sequential(*layers))


class Attends(nn.Module):
    """A transformer block with projections of its own."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into = nn.Linear(3, 16)
        self.q, self.k, self.v, self.o = (nn.Linear(16, 16) for _ in range(4))
        self.head = nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.into(x)
        mix = (self.q(x) @ self.k(x).transpose(1, 2) / 4).softmax(-1) @ self.v(x)
        return self.head((x + self.o(mix)).mean(1))


def inverted(separable: bool = True) -> nn.Module:
    """Inverted residuals: a linear bottleneck, depthwise and factorised convolutions in a row, on purpose."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 24, 1), nn.BatchNorm2d(24), nn.ReLU6(inplace=True),
        nn.Conv2d(24, 24, 3, padding=1, groups=24), nn.BatchNorm2d(24), nn.ReLU6(inplace=True),
        nn.Conv2d(24, 8, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 24, 1), nn.ReLU(),
        nn.Conv2d(24, 24, 3, groups=24), nn.Conv2d(24, 16, 1), nn.ReLU(),
        nn.Conv2d(16, 16, (1, 3)), nn.Conv2d(16, 16, (3, 1)), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip


class Centred(nn.Module):
    """Centres its inputs, in place or not."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.body, self.in_place = mlp(), in_place

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.in_place:
            x -= 0.5
        else:
            x = x - 0.5
        return self.body(x)


def autoencoder() -> Setup:
    x = torch.randn(96, 12, generator=drawn())
    model = nn.Sequential(nn.Linear(12, 4), nn.Linear(4, 12))
    return program(model, batches(x, x), nn.MSELoss())


class Prepared(nn.Module):
    def __init__(self, body: nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.body, self.change = body, change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(self.change(x))


class FirstToken(nn.Module):
    """Reads one token of a sequence, or the bag of all."""

    def __init__(self, bag: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.bag = nn.Embedding(20, 16), bag
        self.head = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids)
        return self.head(x.mean(1) if self.bag else x[:, 0])


def first_tokens() -> list[Any]:
    return batches(tokens(), (tokens()[:, 0] > 9).long())


class Matrices(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Parameter(0.1 * torch.randn(10, 32)), nn.Parameter(0.1 * torch.randn(32, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.a @ self.b


class Forecast(nn.Module):
    def __init__(self, both: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.read = nn.LSTM(2, 16, batch_first=True, bidirectional=both)
        self.head = nn.Linear(32 if both else 16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x)[0])


def forecast(both: bool) -> Setup:
    x = torch.randn(96, 13, 2, generator=drawn()).cumsum(1) / 3
    return program(Forecast(both), batches(x[:, :-1].clone(), x[:, 1:].clone()), nn.MSELoss())


class Mixes(nn.Module):
    """Attention of one head whose softmax runs over the queries, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q, self.k, self.v, self.head = (nn.Linear(3 if width > 2 else 8, width) for width in (8, 8, 8, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = F.softmax(torch.bmm(self.q(x), self.k(x).transpose(1, 2)), dim=1)
        mixed = torch.bmm(F.dropout(weights, 0.1, self.training), self.v(x))
        return self.head(F.relu(mixed).mean(1))


class Bare(nn.Module):
    """A recurrent layer whose state is the answer."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.read = nn.LSTM(3, outputs, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.read(x)[0][:, -1]


class TimeFirst(nn.Module):
    """Turns its inputs for a recurrent network that takes time first."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.read, self.head = nn.GRU(3, 16), nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x.transpose(0, 1))[0][-1])


class Whole(nn.Module):
    """A transformer over values, its own attention; `axis` of the softmax, with codes of positions or without."""

    def __init__(self, axis: int = -1, placed: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.qkv, self.head = nn.Linear(3, 16), nn.Linear(16, 48), nn.Linear(16, 2)
        self.place, self.axis = nn.Parameter(torch.randn(1, 12, 16), requires_grad=placed), axis
        if not placed:
            self.place.data.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.into(x) + self.place)
        q, k, v = (t.unflatten(-1, (2, 8)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        mixed = (q @ k.transpose(-2, -1) / 8**0.5).softmax(self.axis) @ v
        return self.head((x + mixed.transpose(1, 2).flatten(2)).mean(1))


class Rounded(nn.Module):
    """Cuts its graph in the middle; the head still learns."""

    def __init__(self, cut: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head, self.cut = nn.Sequential(nn.Linear(10, 16), nn.Tanh()), nn.Linear(16, 4), cut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cut(self.body(x)))


def no_graph(h: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return h * 2


class Centres(nn.Module):
    """A loss with weights of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out * self.scale, y)


def with_centres(held: bool) -> Setup:
    model, loss = mlp(), Centres()
    groups = [*model.parameters(), *(loss.parameters() if held else [])]
    return classifier(model, loss=loss, optimizer=torch.optim.Adam(groups, 1e-3))


class Plain(nn.Module):
    """A weight that is a plain tensor, and layers in a dict of lists."""

    def __init__(self, layers: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(16, 4)
        if layers:
            self.parts = {"deep": [nn.Linear(10, 16)]}
        else:
            self.w = (0.3 * torch.randn(10, 16)).requires_grad_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.parts["deep"][0](x) if hasattr(self, "parts") else x @ self.w))


def viewed(x: torch.Tensor) -> torch.Tensor:
    return x.view(x.shape[1], x.shape[0], -1).transpose(0, 1)


def masked_mean(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    kept = (y.abs() < 5).float()
    return ((out - y) ** 2 * kept).sum() / kept.sum()


class Segments(nn.Module):
    """A class for each cell of a picture; `classes` outputs."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, classes, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def masks(void: bool) -> list[Any]:
    x = torch.randn(64, 3, 8, 8, generator=drawn())
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    if void:
        y[:, 0] = 255
    return batches(x, y, size=16)


def summed(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((out - y) ** 2).sum()


def per_row(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(out, y, reduction="none").sum(1).mean()


def mean_of_five(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out, y, label_smoothing=0.1, weight=torch.tensor([1.0, 2.0, 1.0, 3.0]))


def hooked() -> nn.Module:
    model = mlp()
    model[0].weight.register_hook(lambda grad: grad * 0)
    model[0].bias.register_hook(lambda grad: grad * 0)
    return model
