"""Autoencoders of written digits, plain and variational."""

from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import digit_images, digits
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

STYLE = "autoencoder"


def pixels(model: nn.Module, loss: Any, center: float = 0.0, scale: float = 1.0, lr: float = 3e-3) -> dict[str, Any]:
    """Inputs and targets are the same pixels."""
    train, dev, _ = ((rows.x - center) / scale for rows in digits())
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(TensorDataset(train, train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(dev, dev), batch_size=90),
        "optimizer": Adam(model.parameters(), lr=lr),
    }


class AutoEncoder(nn.Module):
    def __init__(self, latent: int = 12, end: nn.Module | None = None, cut: bool = False) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 48), nn.ELU(), nn.Linear(48, latent))
        self.decode = nn.Sequential(nn.Linear(latent, 48), nn.ELU(), nn.Linear(48, 64))
        self.end = end
        self.cut = cut

    def forward(self, x: Tensor) -> Tensor:
        z = self.encode(x)
        if self.cut:
            z = z.data
        x = self.decode(z)
        return x if self.end is None else self.end(x)


def sigmoid_on_standardised(broken: bool) -> dict[str, Any]:
    torch.manual_seed(140)
    return pixels(AutoEncoder(end=nn.Sigmoid() if broken else None), nn.MSELoss(), center=0.305, scale=0.376)


def code_taken_as_data(broken: bool) -> dict[str, Any]:
    torch.manual_seed(141)
    return pixels(AutoEncoder(end=nn.Sigmoid(), cut=broken), nn.BCELoss())


def one_unit_in_the_middle(broken: bool) -> dict[str, Any]:
    torch.manual_seed(142)
    return pixels(AutoEncoder(latent=1 if broken else 16), F.mse_loss)


def pixels_up_to_sixteen(broken: bool) -> dict[str, Any]:
    torch.manual_seed(143)
    return pixels(AutoEncoder(), nn.BCEWithLogitsLoss(), scale=1 / 16 if broken else 1.0, lr=2e-3)


class Variational(nn.Module):
    """Returns the pixels' logits, the mean and the logarithm of the variance of the code."""

    def __init__(self, always_draw: bool = False) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.mu, self.logvar = nn.Linear(48, 8), nn.Linear(48, 8)
        self.fc2, self.fc3 = nn.Linear(8, 48), nn.Linear(48, 64)
        self.always_draw = always_draw

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.fc1(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu
        if self.training or self.always_draw:
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.fc3(F.relu(self.fc2(z))), mu, logvar


def elbo(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    logits, mu, logvar = out
    likelihood = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    divergence = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)
    return (likelihood + divergence).mean()


def draws_in_evaluation(broken: bool) -> dict[str, Any]:
    torch.manual_seed(144)
    return pixels(Variational(always_draw=broken), elbo)


def no_divergence(broken: bool) -> dict[str, Any]:
    torch.manual_seed(145)

    def reconstruction(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(out[0], x, reduction="sum") / len(x)

    return pixels(Variational(), reconstruction if broken else elbo)


def divergence_summed(broken: bool) -> dict[str, Any]:
    torch.manual_seed(146)

    def loss(out, x):
        logits, mu, logvar = out
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        if broken:
            return F.binary_cross_entropy_with_logits(logits, x) + kl
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / x.size(0)

    return pixels(Variational(), loss)


def divergence_with_wrong_sign(broken: bool) -> dict[str, Any]:
    torch.manual_seed(147)

    class Loss(nn.Module):
        def forward(self, out, x):
            recon, mu, logvar = out
            kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1).mean()
            bce = F.binary_cross_entropy_with_logits(recon, x, reduction="none").sum(1).mean()
            return bce - kl if broken else bce + kl

    return pixels(Variational(), Loss())


def channel_missing_in_target(broken: bool) -> dict[str, Any]:
    torch.manual_seed(148)
    train, dev, _ = (rows.x for rows in digit_images())

    def pair(x: Tensor) -> TensorDataset:
        return TensorDataset(x, x.squeeze(1) if broken else x)

    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(12, 4, 3, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 12, 2, stride=2),
        nn.ReLU(),
        nn.Conv2d(12, 1, 3, padding=1),
    )
    return {
        "model": model,
        "loss": nn.MSELoss(),
        "train": DataLoader(pair(train), batch_size=32, shuffle=True),
        "dev": DataLoader(pair(dev), batch_size=32),
        "optimizer": Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = [
    Program(
        "sigmoid on standardised",
        STYLE,
        ("SY211",),
        "the decoder ends in a sigmoid, the pixels are standardised",
        sigmoid_on_standardised,
    ),
    Program("code taken as data", STYLE, ("SY203",), ".data cuts the encoder off the graph", code_taken_as_data),
    Program(
        "one unit in the middle",
        STYLE,
        ("SY510", "SY501"),
        "the code has one number, not sixteen",
        one_unit_in_the_middle,
    ),
    Program(
        "pixels up to sixteen",
        STYLE,
        ("SY211", "SY216", "SY215", "SY106", "SY102"),
        "binary cross-entropy of pixels from 0 to 16, which were never divided",
        pixels_up_to_sixteen,
    ),
    Program("draws in evaluation", STYLE, ("SY601",), "the code is drawn in evaluation mode, too", draws_in_evaluation),
    Program(
        "no divergence", STYLE, ("SY214",), "the divergence is left out: nothing holds mean and variance", no_divergence
    ),
    Program(
        "divergence summed",
        STYLE,
        ("SY607", "SY206", "SY212", "SY509", "SY504"),
        "divergence summed over rows, likelihood averaged over pixels: the code says nothing",
        divergence_summed,
    ),
    Program(
        "divergence with wrong sign",
        STYLE,
        ("SY215",),
        "the divergence is subtracted: no lower bound",
        divergence_with_wrong_sign,
    ),
    Program(
        "channel missing in target",
        STYLE,
        ("SY202",),
        "outputs (N, 1, 8, 8) and targets (N, 8, 8) broadcast to (N, N, 8, 8)",
        channel_missing_in_target,
    ),
]
