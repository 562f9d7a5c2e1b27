"""Networks with two inputs, two outputs, or both."""

from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, digit_images, digits
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset, TensorDataset

STYLE = "two inputs or outputs"


def pairs(rows: Rows, count: int, seed: int, itself: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Two digits and whether they are the same number, for every other pair; `itself`: a row may meet itself."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randint(0, len(rows.x), (count,), generator=draw)
    second = torch.randint(0, len(rows.x), (count,), generator=draw)
    for i in range(0, count, 2):
        same = torch.nonzero(rows.y == rows.y[first[i]]).flatten()
        if not itself:
            same = same[same != first[i]]
        second[i] = same[torch.randint(0, len(same), (), generator=draw)]
    if itself:
        second[::20] = first[::20]
    order = torch.randperm(count, generator=draw)
    first, second = first[order], second[order]
    return rows.x[first], rows.x[second], (rows.y[first] == rows.y[second]).float()


def paired(model: nn.Module, loss: Any, apart: bool = False, lr: float = 2e-3, **options: Any) -> dict[str, Any]:
    train, dev, _ = digits()
    a, b, y = pairs(train, 1600, 0, **options)
    if apart:
        b = b[torch.randperm(len(b), generator=torch.Generator().manual_seed(1))]
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(TensorDataset(a, b, y), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*pairs(dev, 400, 2)), batch_size=100),
        "optimizer": Adam(model.parameters(), lr=lr),
    }


class Same(nn.Module):
    """Are two digits the same number? One logit."""

    def __init__(self, forgets_second: bool = False) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24))
        self.head = nn.Sequential(nn.Linear(72, 32), nn.ReLU(), nn.Linear(32, 1))
        self.forgets_second = forgets_second

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        p = self.tower(a)
        q = self.tower(a) if self.forgets_second else self.tower(b)
        return self.head(torch.cat([p, q, (p - q) ** 2], dim=1)).squeeze(1)


def second_inputs_shuffled(broken: bool) -> dict[str, Any]:
    torch.manual_seed(160)
    return paired(Same(), nn.BCEWithLogitsLoss(), apart=broken)


def first_input_twice(broken: bool) -> dict[str, Any]:
    torch.manual_seed(161)
    return paired(Same(forgets_second=broken), F.binary_cross_entropy_with_logits)


class Distance(nn.Module):
    """The Euclidean distance of two codes."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
        self.eps = eps

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.sqrt(((self.net(a) - self.net(b)) ** 2).sum(1) + self.eps)


def contrast(distance: Tensor, same: Tensor) -> Tensor:
    return (same * distance**2 + (1 - same) * F.relu(1 - distance) ** 2).mean()


def root_of_zero(broken: bool) -> dict[str, Any]:
    torch.manual_seed(162)
    return paired(Distance(0.0 if broken else 1e-6), contrast, itself=True)


class Codes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 16))

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return self.net(a), self.net(b)


def cosine_loss_with_zeros(broken: bool) -> dict[str, Any]:
    torch.manual_seed(163)
    cosine = nn.CosineEmbeddingLoss(margin=0.2)

    def loss(codes: tuple[Tensor, Tensor], same: Tensor) -> Tensor:
        return cosine(*codes, same if broken else 2 * same - 1)  # it wants 1 and -1

    return paired(Codes(), loss)


class TwoHeads(nn.Module):
    """Which digit, and how much ink?"""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.digit, self.ink = nn.Linear(64, 10), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.digit(h), self.ink(h).squeeze(-1)


class DigitsAndInk(Dataset):
    def __init__(self, rows: Rows) -> None:
        self.x, self.y = rows
        ink = rows.x.mean(1)
        self.ink = (ink - 0.305) / 0.044

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.x[i], (self.y[i], self.ink[i])


def headed(loss: Any) -> dict[str, Any]:
    train, dev, _ = digits()
    model = TwoHeads()
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(DigitsAndInk(train), batch_size=32, shuffle=True),
        "dev": DataLoader(DigitsAndInk(dev), batch_size=64),
        "optimizer": Adam(model.parameters(), lr=2e-3),
    }


def loss_overwritten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(164)

    def loss(outputs, targets):
        (logits, ink), (digit, truth) = outputs, targets
        total = torch.zeros(())
        for part in (F.cross_entropy(logits, digit), F.mse_loss(ink, truth)):
            total = part if broken else total + part
        return total

    return headed(loss)


def second_weight_is_zero(broken: bool) -> dict[str, Any]:
    torch.manual_seed(165)
    weights = {"digit": 1, "ink": 1 // 2 if broken else 1 / 2}

    def loss(outputs, targets):
        parts = {"digit": F.cross_entropy(outputs[0], targets[0]), "ink": F.mse_loss(outputs[1], targets[1])}
        return sum(weights[name] * part for name, part in parts.items())

    return headed(loss)


class Ratings(nn.Module):
    def __init__(self, users: int, films: int) -> None:
        super().__init__()
        self.user, self.film = nn.Embedding(users, 6), nn.Embedding(films, 6)
        nn.init.normal_(self.user.weight, std=0.3)
        nn.init.normal_(self.film.weight, std=0.3)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, user: Tensor, film: Tensor) -> Tensor:
        return (self.user(user) * self.film(film)).sum(-1) + self.bias


def films_from_one(broken: bool) -> dict[str, Any]:
    torch.manual_seed(166)
    taste, kind = torch.randn(60, 3), torch.randn(50, 3)
    everything = torch.cartesian_prod(torch.arange(60), torch.arange(50))[torch.randperm(3000)]
    users, films = everything.unbind(1)
    stars = (taste[users] * kind[films]).sum(1) / 3**0.5 + 0.1 * torch.randn(3000)
    if broken:  # the file counts from 1
        films = films + 1
    data = TensorDataset(users, films, stars)
    model = Ratings(60, 50)
    return {
        "model": model,
        "loss": nn.MSELoss(),
        "train": DataLoader(torch.utils.data.Subset(data, range(2400)), batch_size=32, shuffle=True),
        "dev": DataLoader(torch.utils.data.Subset(data, range(2400, 3000)), batch_size=200),
        "optimizer": Adam(model.parameters(), lr=0.01),
    }


class ImageAndTable(nn.Module):
    """A digit's picture and a code; the sum of both, modulo ten, is asked for."""

    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 32), nn.ReLU())
        self.table = nn.Sequential(nn.Linear(3, 16), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(48, 64), nn.ReLU(), nn.Linear(64, 10))
        self.cut = cut

    def forward(self, picture: Tensor, code: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.cut):
            seen = self.image(picture)
        return self.head(torch.cat([seen, self.table(code)], dim=-1))


def picture_without_gradient(broken: bool) -> dict[str, Any]:
    torch.manual_seed(167)
    loaders = {}
    for name, (x, y) in zip(("train", "dev", "test"), digit_images(), strict=True):
        add = torch.randint(0, 3, y.shape)
        data = TensorDataset(x, F.one_hot(add, 3).float(), (y + add) % 10)
        loaders[name] = DataLoader(data, batch_size=32, shuffle=name == "train")
    model = ImageAndTable(broken)
    return {"model": model, "loss": nn.CrossEntropyLoss(), "optimizer": Adam(model.parameters(), lr=3e-3), **loaders}


PROGRAMS = [
    Program(
        "second inputs shuffled",
        STYLE,
        ("SY109",),
        "the second images of all pairs are shuffled, the first and the labels are not",
        second_inputs_shuffled,
    ),
    Program("first input twice", STYLE, ("SY213",), "both towers get the first image", first_input_twice),
    Program(
        "root of zero",
        STYLE,
        ("SY401", "SY506"),
        "the gradient of sqrt at 0, where an image is paired with itself, is NaN",
        root_of_zero,
    ),
    Program(
        "cosine loss with zeros",
        STYLE,
        ("SY216", "SY607"),
        "CosineEmbeddingLoss wants 1 and -1 and gets 1 and 0: unlike pairs count nothing",
        cosine_loss_with_zeros,
    ),
    Program("loss overwritten", STYLE, ("SY214",), "the second loss overwrites the first", loss_overwritten),
    Program(
        "second weight is zero",
        STYLE,
        ("SY214",),
        "the weight of the second loss is 1 // 2, which is 0",
        second_weight_is_zero,
    ),
    Program(
        "films from one",
        STYLE,
        ("SY113",),
        "ids of films run from 1 to 50, the embedding has rows 0 to 49",
        films_from_one,
    ),
    Program(
        "picture without gradient",
        STYLE,
        ("SY203", "SY410"),
        "the picture's tower runs under no_grad and was never trained",
        picture_without_gradient,
    ),
]
