"""The checks of wiring name planted faults in several styles of programs, and are silent on sound ones."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import Setup, Squeezed, blobs, classifier, labels, mlp, regressor, values
from sequences import (
    Language,
    Reader,
    Residual,
    TwoHeads,
    batches,
    classified,
    drawn,
    language,
    next_token,
    pictures,
    program,
    series,
    tokens,
    two_targets,
)
from torch import nn
from torch.nn import functional as F

from steelyard.doctor import Examination, examine

LEFT_OUT = ("SY1", "SY4", "SY5", "SY6")


def looked(setup: Setup) -> Examination:
    return examine(**setup, ignore=LEFT_OUT)


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


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "half of the columns are cut off": ("SY213", lambda: classifier(Sliced(5))),
    "the second input is forgotten": ("SY213", lambda: two_inputs(used=False)),
    "the first step of a sequence is read": ("SY213", lambda: program(Reader(0), series(), nn.CrossEntropyLoss())),
    "one channel is read": (
        "SY213",
        lambda: program(Prepared(Residual(1), lambda x: x[:, :1]), pictures(), nn.CrossEntropyLoss()),
    ),
    "tokens beyond the first are not read": (
        "SY213",
        lambda: program(FirstToken(), first_tokens(), nn.CrossEntropyLoss()),
    ),
    "the loss takes the first head only": (
        "SY214",
        lambda: program(TwoHeads(), two_targets(), lambda out, y, z: F.cross_entropy(out[0], y)),
    ),
    "a term has no weight": (
        "SY214",
        lambda: program(
            TwoHeads(True),
            two_targets(),
            lambda out, y, z: F.cross_entropy(out["kind"], y) + 0.0 * F.mse_loss(out["size"], z),
        ),
    ),
    "cross-entropy with a minus": ("SY215", lambda: classifier(loss=negative)),
    "an own log-likelihood without its minus": ("SY215", lambda: classifier(loss=own_log_likelihood(1.0))),
    "own squares with a minus": ("SY215", lambda: regressor(loss=own_squares(-1.0))),
    "an optimizer that maximises": ("SY215", lambda: maximising(nn.CrossEntropyLoss())),
    "one minus the targets": (
        "SY215",
        lambda: labels() | {"loss": lambda out, y: F.binary_cross_entropy_with_logits(out, 1 - y)},
    ),
    "multi-hot rows into cross-entropy": ("SY216", lambda: multi_hot(nn.CrossEntropyLoss())),
    "cross-entropy over the rows of a batch": (
        "SY216",
        lambda: regressor(loss=nn.CrossEntropyLoss(), train=[(x, (y > 0).float()) for x, y in values()], dev=None),
    ),
    "targets of -1 and 1 into logits' loss": (
        "SY216",
        lambda: labels() | {"train": [(x, 2 * y - 1) for x, y in labels()["train"]]},
    ),
    "class codes as values": ("SY216", codes_as_values),
    "one layer three times": ("SY217", lambda: classifier(stacked(block, True))),
    "a list with one layer": ("SY217", lambda: classifier(Heads(True))),
    "layers without ReLU": ("SY218", lambda: linear(nn.Linear(10, 32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))),
    "convolutions without ReLU": (
        "SY218",
        lambda: program(
            nn.Sequential(
                nn.Conv2d(3, 8, 3),
                nn.BatchNorm2d(8),
                nn.Conv2d(8, 8, 3),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(8, 3),
            ),
            pictures(),
            nn.CrossEntropyLoss(),
        ),
    ),
    "weights of one's own in a row": ("SY218", lambda: classifier(Matrices())),
    "ReLU on logits": ("SY219", lambda: classifier(Squeezed(mlp(), torch.relu))),
    "tanh on logits": ("SY219", lambda: labels() | {"model": nn.Sequential(mlp(10, 3), nn.Tanh())}),
    "clamped logits": ("SY219", lambda: classifier(Squeezed(mlp(), lambda out: out.clamp(-1, 1)))),
    "attention without a mask": ("SY220", lambda: language("full")),
    "a reader of both ways": ("SY220", lambda: language("both")),
    "targets that are not shifted": (
        "SY220",
        lambda: program(Language("gru"), batches(tokens(), tokens()), next_token),
    ),
    "forecasts that see ahead": ("SY220", lambda: forecast(True)),
    "nine in ten dropped": ("SY221", lambda: linear(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.9), nn.Linear(32, 4))),
    "dropout on the outputs": (
        "SY221",
        lambda: linear(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4), nn.Dropout(0.3)),
    ),
    "momentum of the past": (
        "SY222",
        lambda: linear(nn.Linear(10, 32), nn.BatchNorm1d(32, momentum=0.99), nn.ReLU(), nn.Linear(32, 4)),
    ),
    "attention over heads": ("SY225", lambda: program(Whole(1), series(), nn.CrossEntropyLoss())),
    "rounding in the middle": ("SY203", lambda: classifier(Rounded(torch.round))),
    "data in the middle": ("SY203", lambda: classifier(Rounded(lambda h: h.data))),
    "no graph in the middle": ("SY203", lambda: classifier(Rounded(no_graph))),
    "a loss whose weights are not in the optimizer": ("SY204", lambda: with_centres(False)),
    "a batch taken for time": ("SY205", lambda: program(Reader(batch_first=False), series(), nn.CrossEntropyLoss())),
    "a view for a transpose": (
        "SY205",
        lambda: program(Prepared(Reader(), viewed), series(), nn.CrossEntropyLoss()),
    ),
    "softmax over the rows of tokens": (
        "SY205",
        lambda: program(
            Squeezed(FirstToken(True), lambda out: out * out.softmax(0)), first_tokens(), nn.CrossEntropyLoss()
        ),
    ),
    "a plain tensor as a weight": ("SY207", lambda: classifier(Plain(False))),
    "layers in a dict of lists": ("SY207", lambda: classifier(Plain(True))),
    "an own loss that broadcasts": ("SY202", lambda: regressor(mlp(6, 1), loss=masked_mean)),
    "one column against three": (
        "SY202",
        lambda: regressor(mlp(6, 1), train=[(x, x[:, :3] * 2) for x, _ in values()], dev=None),
    ),
    "masks with 255": ("SY210", lambda: program(Segments(), masks(True), nn.CrossEntropyLoss())),
    "fewer outputs than classes of cells": ("SY210", lambda: program(Segments(2), masks(False), nn.CrossEntropyLoss())),
    "a bound of one's own": ("SY211", lambda: regressor(Squeezed(mlp(6, 1), lambda o: 0.5 * torch.tanh(o).squeeze(1)))),
    "an own sum over rows": ("SY212", lambda: regressor(loss=summed)),
    "a sigmoid of one's own before logits": (
        "SY201",
        lambda: labels() | {"model": Squeezed(mlp(10, 3), lambda out: 1 / (1 + torch.exp(-out)))},
    ),
    "inputs centred in place": ("SY223", lambda: classifier(Centred(True))),
    "targets changed by the loss": ("SY223", lambda: regressor(loss=lambda out, y: F.mse_loss(out, y.mul_(0.5)))),
}


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


SOUND: dict[str, Callable[[], Setup]] = {
    "a branch that starts at zero": lambda: two_inputs(zero=True),
    "a recurrent reader": lambda: program(Reader(), series(), nn.CrossEntropyLoss()),
    "a reader of both ways of a whole sequence": lambda: program(Reader(both=True), series(), nn.CrossEntropyLoss()),
    "a residual network with blocks that start at zero": lambda: program(Residual(), pictures(), nn.CrossEntropyLoss()),
    "a transformer with padding": classified,
    "a transformer that reads its first step": lambda: classified("first"),
    "a causal transformer": lambda: language("causal"),
    "a recurrent model of language": lambda: language("gru"),
    "tied embeddings": lambda: program(Tied(), language("causal")["train"], next_token),
    "a bag of words": lambda: program(FirstToken(True), first_tokens(), nn.CrossEntropyLoss()),
    "two heads and features beside them": lambda: program(
        TwoHeads(True), two_targets(), lambda out, y, z: F.cross_entropy(out["kind"], y) + F.mse_loss(out["size"], z)
    ),
    "a maximised log-likelihood": lambda: maximising(own_log_likelihood(1.0)),
    "an own log-likelihood": lambda: classifier(loss=own_log_likelihood(-1.0)),
    "weighted and smoothed": lambda: classifier(loss=mean_of_five),
    "soft targets": lambda: classifier(train=[(x, 0.8 * F.one_hot(y, 4) + 0.05) for x, y in blobs()], dev=None),
    "separate blocks": lambda: classifier(stacked(block, False)),
    "one head on two layers": lambda: classifier(Heads(False)),
    "towers that share a layer": lambda: classifier(Towers()),
    "attention of one's own": lambda: program(Attends(), series(), nn.CrossEntropyLoss()),
    "bottlenecks, depthwise and factorised convolutions": lambda: program(
        inverted(), pictures(), nn.CrossEntropyLoss()
    ),
    "a linear autoencoder": autoencoder,
    "a linear model": lambda: linear(nn.Flatten(), nn.BatchNorm1d(10), nn.Linear(10, 4)),
    "capped logits": lambda: classifier(Squeezed(mlp(), lambda out: 30 * torch.tanh(out / 30))),
    "forecasts that read forwards": lambda: forecast(False),
    "inputs centred in a copy": lambda: classifier(Centred(False)),
    "attention over steps": lambda: program(Whole(), series(), nn.CrossEntropyLoss()),
    "a loss whose weights are in the optimizer": lambda: with_centres(True),
    "a sum over labels": lambda: labels() | {"loss": per_row},
    "masks with 255 left out": lambda: program(Segments(), masks(True), nn.CrossEntropyLoss(ignore_index=255)),
    "sequences first": lambda: program(TimeFirst(), series(), nn.CrossEntropyLoss()),
    "counts as values": lambda: regressor(
        train=[(x, torch.poisson(y.exp().clamp(max=6), generator=drawn())) for x, y in values()], dev=None
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    found = looked(setup())
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (found.codes, found.not_measured.get(code))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_has_no_finding(name: str) -> None:
    found = looked(SOUND[name]())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


def test_attention_without_positions_is_a_tip_and_with_them_is_none() -> None:
    told = looked(program(Whole(placed=False), series(), nn.CrossEntropyLoss()))
    assert "SY224" in told.codes and told.healthy
    assert "SY224" in looked(program(Whole(), series(), nn.CrossEntropyLoss())).passed
