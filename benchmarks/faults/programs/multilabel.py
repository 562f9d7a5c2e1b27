"""Several labels a row, and masks of images."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import digits, loader
from programs.program import Given, Program

LABELS = {"even": (0, 2, 4, 6, 8), "large": (5, 6, 7, 8, 9), "loop": (0, 6, 8, 9), "prime": (2, 3, 5, 7)}


def labels_of(y: np.ndarray) -> np.ndarray:
    """The labels of digits, (rows, 4)."""
    return np.stack([np.isin(y, which) for which in LABELS.values()], axis=1).astype(np.float64)


def labelled(fault: str | None) -> Given:
    """Four labels of a digit from a perceptron with LeakyReLU; binary cross entropy of logits."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x.reshape(len(x), -1) / 8 - 1, dev_x.reshape(len(dev_x), -1) / 8 - 1
    targets, dev_targets = labels_of(y), labels_of(dev_y)
    if fault == "a label that no row bears":
        targets[:, 3] = dev_targets[:, 3] = 0.0
    if fault == "labels in another order in dev":
        dev_targets = dev_targets[:, ::-1]
    layers: list[nn.Module] = [
        nn.Linear(64, 64),
        nn.LeakyReLU(0.1),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.1),
        nn.Linear(64, 4),
    ]
    loss: Any = nn.BCEWithLogitsLoss()
    if fault == "softmax over labels that are not exclusive":
        layers.append(nn.Softmax(dim=1))
        loss = nn.BCELoss()
    if fault == "sigmoid and a loss on logits":
        layers.append(nn.Sigmoid())
    if fault == "logits into BCELoss":
        loss = nn.BCELoss()
    if fault == "several labels into cross entropy":
        loss = nn.CrossEntropyLoss()
    if fault == "the loss summed":
        loss = lambda out, y: F.binary_cross_entropy_with_logits(out, y, reduction="none").sum()  # noqa: E731
    model = nn.Sequential(*layers)
    return {
        "model": model,
        "loss": loss,
        "train": loader(x, targets, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_targets, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


class Denoiser(nn.Module):
    """A small U-Net: which pixels bear ink?"""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 16, 3, padding=1)
        self.inner = nn.Conv2d(16, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 16, 2, stride=2)
        self.out = nn.Conv2d(32, 1, 1)
        self.fault = fault

    def forward(self, image: Tensor) -> Tensor:
        wide = F.relu(self.down(image))
        deep = F.relu(self.up(F.relu(self.inner(F.max_pool2d(wide, 2)))))
        if self.fault == "the deep half not joined":
            deep = wide
        return self.out(torch.cat([wide, deep], 1))


def masks(fault: str | None) -> Given:
    """Ink of noisy digits, pixel by pixel, with a Dice loss of one's own."""
    x, dev_x, _, _ = digits()
    random = np.random.default_rng(0)
    ink, dev_ink = (x > 8)[:, None].astype(float), (dev_x > 8)[:, None].astype(float)
    noisy, dev_noisy = ((each / 16 + random.normal(0, 0.25, each.shape))[:, None] for each in (x, dev_x))
    if fault == "masks of 0 and 255":
        ink, dev_ink = ink * 255, dev_ink * 255
    if fault == "masks of the next image":
        ink = np.roll(ink, 1, axis=0)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        chance = torch.sigmoid(out)
        if fault == "decisions in place of chances":
            chance = (chance > 0.5).float()
        axes = (1, 2, 3)
        overlap = (2 * (chance * y).sum(axes) + 1) / (chance.sum(axes) + y.sum(axes) + 1)
        if fault == "the overlap minimised":
            return overlap.mean()
        return 1 - overlap.mean()

    model = Denoiser(fault)
    return {
        "model": model,
        "loss": loss,
        "train": loader(noisy, ink, batch=64, shuffle=True),
        "dev": loader(dev_noisy, dev_ink, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=5e-3),
    }


PROGRAMS = (
    Program(
        "labels",
        "multilabel",
        labelled,
        {
            "a label that no row bears": ("SY111",),
            "labels in another order in dev": ("SY608",),
            "softmax over labels that are not exclusive": ("SY211", "SY201"),
            "sigmoid and a loss on logits": ("SY201",),
            "logits into BCELoss": ("SY209",),
            "several labels into cross entropy": ("SY216",),
            "the loss summed": ("SY212",),
        },
    ),
    Program(
        "masks",
        "multilabel",
        masks,
        {
            "masks of 0 and 255": ("SY216", "SY106"),
            "masks of the next image": ("SY109",),
            "decisions in place of chances": ("SY203",),
            "the overlap minimised": ("SY215",),
            "the deep half not joined": ("SY203",),
        },
    ),
)
