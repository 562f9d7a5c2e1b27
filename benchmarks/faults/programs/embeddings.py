"""Autoencoders and metric learning: targets that are inputs, pairs, cosines."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import digits, loader
from programs.program import Given, Program


def autoencoder(fault: str | None) -> Given:
    """Digits through a bottleneck of 16; the target is the input."""
    x, dev_x, _, _ = digits()
    x, dev_x = x.reshape(len(x), -1), dev_x.reshape(len(dev_x), -1)
    if fault == "sigmoid, and pixels standardised":
        mean, std = x.mean(0), x.std(0) + 0.5
        x, dev_x = (x - mean) / std, (dev_x - mean) / std
    else:
        x, dev_x = x / 16, dev_x / 16
    target = x
    if fault == "targets of another loader's order":
        target = np.random.default_rng(2).permutation(x)
    code = 16
    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, code), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
    if fault == "a bottleneck of dead units":
        nn.init.constant_(encoder[2].bias, -8.0)
    model = nn.Sequential(encoder, decoder)
    reduction = "sum" if fault == "errors summed over pixels and rows" else "mean"
    return {
        "model": model,
        "loss": nn.MSELoss(reduction=reduction),
        "train": loader(x, target, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_x, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


class Variational(nn.Module):
    """A variational autoencoder; outside training its code is the mean."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.SiLU())
        self.mean, self.log_variance = nn.Linear(64, 8), nn.Linear(64, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 64))
        self.fault = fault

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        code = mean
        if self.training or self.fault == "codes drawn at evaluation, too":
            code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        if self.fault == "the code detached":
            code = code.detach()
        return self.decoder(code), mean, log_variance


def variational(fault: str | None) -> Given:
    """Three outputs, a loss of two terms."""
    x, dev_x, _, _ = digits()
    x, dev_x = x.reshape(len(x), -1) / 16, dev_x.reshape(len(dev_x), -1) / 16

    def loss(out: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        drawn, mean, log_variance = out
        entropy = F.binary_cross_entropy_with_logits(drawn, target)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).mean()
        if fault == "the divergence forgotten":
            return entropy
        if fault == "the divergence with the wrong sign":
            return entropy - 0.05 * divergence
        return entropy + 0.05 * divergence

    model = Variational(fault)
    return {
        "model": model,
        "loss": loss,
        "train": loader(x, x, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_x, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


def pairs(x: np.ndarray, y: np.ndarray, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of images, and whether they show the same digit (half of them do)."""
    random = np.random.default_rng(seed)
    first = random.integers(0, len(x), rows)
    same = random.random(rows) < 0.5
    second = np.array([random.choice(np.flatnonzero((y == y[a]) == s)) for a, s in zip(first, same, strict=True)])
    return x[first], x[second], same.astype(float)


class Siamese(nn.Module):
    """The distance of two images in a space that is learnt."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
        self.fault = fault

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        a, b = self.embed(first), self.embed(second)
        if self.fault == "the second image replaced by noughts":
            b = self.embed(torch.zeros_like(second))
        squared = ((a - b) ** 2).sum(1)
        if self.fault == "a root without an epsilon":
            return squared.sqrt()
        return (squared + 1e-6).sqrt()


def siamese(fault: str | None) -> Given:
    """Pairs and a contrastive loss (Hadsell et al. 2006)."""
    x, dev_x, y, dev_y = digits()
    first, second, same = pairs(x / 16, y, 1200, 0)
    if fault == "a root without an epsilon":
        second[::40] = first[::40]
        same[::40] = 1.0

    def contrastive(distance: Tensor, same: Tensor) -> Tensor:
        if fault == "alike and unlike mixed up":
            same = 1 - same
        if fault == "distances as a column":
            distance = distance[:, None]
        return (same * distance**2 + (1 - same) * F.relu(1.0 - distance) ** 2).mean()

    if fault == "pairs shuffled against their labels":
        same = np.random.default_rng(3).permutation(same)
    model = Siamese(fault)
    return {
        "model": model,
        "loss": contrastive,
        "train": loader(first, second, same, batch=48, shuffle=True),
        "dev": loader(*pairs(dev_x / 16, dev_y, 400, 1), batch=50),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


class Cosine(nn.Module):
    """A classifier by the cosine to a prototype of each class."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
        self.prototypes = nn.Parameter(torch.randn(10, 32))
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        if self.fault == "normalised over the rows":
            embedded = F.normalize(self.embed(x), dim=0)
        else:
            embedded = F.normalize(self.embed(x), dim=1)
        prototypes = F.normalize(
            self.prototypes.detach() if self.fault == "prototypes detached" else self.prototypes, dim=1
        )
        cosine = embedded @ prototypes.T
        return cosine if self.fault == "cosines without a scale" else 12.0 * cosine


def cosine(fault: str | None) -> Given:
    """Cosines times a scale into cross entropy."""
    x, dev_x, y, dev_y = digits()
    model = Cosine(fault)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x.reshape(len(x), -1) / 16, y, batch=64, shuffle=True),
        "dev": loader(dev_x.reshape(len(dev_x), -1) / 16, dev_y, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = (
    Program(
        "autoencoder",
        "embeddings",
        autoencoder,
        {
            "sigmoid, and pixels standardised": ("SY211",),
            "targets of another loader's order": ("SY109",),
            "a bottleneck of dead units": ("SY403",),
            "errors summed over pixels and rows": ("SY212",),
        },
    ),
    Program(
        "variational",
        "embeddings",
        variational,
        {
            "codes drawn at evaluation, too": ("SY601",),
            "the code detached": ("SY203", "SY405"),
            "the divergence forgotten": ("SY214",),
            "the divergence with the wrong sign": ("SY215",),
        },
    ),
    Program(
        "siamese",
        "embeddings",
        siamese,
        {
            "the second image replaced by noughts": ("SY213",),
            "a root without an epsilon": ("SY401", "SY506"),
            "alike and unlike mixed up": ("SY215",),
            "distances as a column": ("SY202",),
            "pairs shuffled against their labels": ("SY109",),
        },
    ),
    Program(
        "cosine",
        "embeddings",
        cosine,
        {
            "normalised over the rows": ("SY205",),
            "prototypes detached": ("SY203",),
            "cosines without a scale": ("SY219",),
        },
    ),
)
