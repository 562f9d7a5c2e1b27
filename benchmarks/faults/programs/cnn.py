"""Images and convolutions: classification."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from programs.data import digits, loader, photo_patches
from programs.program import Given, Program


def small_cnn(fault: str | None) -> Given:
    """Two convolutions in a Sequential, no normalisation; grey values are scaled to 0 … 1."""
    x, dev_x, y, dev_y = digits()
    x, dev_x = x[:, None], dev_x[:, None]
    if fault == "images of 0 to 255":
        x, dev_x = (x * 15.9375).round(), (dev_x * 15.9375).round()
    elif fault == "images divided by 255 twice":
        x, dev_x = (x * 15.9375) / 255 / 255, (dev_x * 15.9375) / 255 / 255
    elif fault == "integer division to zeros":
        x, dev_x = x.astype(np.uint8) // 17, dev_x.astype(np.uint8) // 17
        x, dev_x = x.astype(np.float32), dev_x.astype(np.float32)
    else:
        x, dev_x = x / 16, dev_x / 16
    if fault == "missing pixels read as NaN":
        x[::100, 0, 3, 3] = np.nan
    body: list[nn.Module] = [
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
    ]
    head: list[nn.Module] = [nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)]
    if fault == "softmax at the end":
        head.append(nn.Softmax(dim=-1))
    if fault == "ReLU at the end":
        head.append(nn.ReLU())
    if fault == "dropout on the outputs":
        head.append(nn.Dropout(0.5))
    model = nn.Sequential(*body, *head)
    if fault == "bias of -10 before the ReLU":
        nn.init.constant_(model[3].bias, -10.0)
    if fault == "only the head in the optimizer":
        parameters: Any = model[-1].parameters()
    else:
        parameters = model.parameters()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x, y, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": torch.optim.Adam(parameters, lr=3e-3),
    }


class Block(nn.Module):
    """Convolution, BatchNorm, ReLU."""

    def __init__(self, ins: int, outs: int, momentum: float, tracked: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outs, momentum=momentum, track_running_stats=tracked)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class NormedCNN(nn.Module):
    """Blocks with BatchNorm and a pooled head."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        momentum = 0.0 if fault == "BatchNorm momentum of 0" else 0.1
        tracked = fault != "BatchNorm without running statistics"
        self.blocks = nn.Sequential(
            Block(1, 24, momentum, tracked),
            Block(24, 24, momentum, tracked),
            nn.MaxPool2d(2),
            Block(24, 48, momentum, tracked),
        )
        self.head = nn.Linear(48 * 16, 10)
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)
        if self.fault == "flattened so that rows mix":
            x = x.permute(1, 0, 2, 3).reshape(x.shape[0], -1)
        else:
            x = x.flatten(1)
        if self.fault == "features detached before the head":
            x = x.detach()
        if self.fault == "dropout keeps one in fifty":
            x = F.dropout(x, 0.98, self.training)
        return self.head(x)


class Shifted(Dataset[Any]):
    """Images, shifted at random by a pixel where it augments."""

    def __init__(self, x: np.ndarray, y: np.ndarray, augment: bool, repeated: bool = False) -> None:
        self.x, self.y = torch.tensor(x / 16, dtype=torch.float32)[:, None], torch.tensor(y)
        self.augment, self.repeated = augment, repeated

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        index = index % 8 if self.repeated else index
        image = self.x[index]
        if self.augment:
            image = image.roll(int(torch.randint(-1, 2, ())), 2)
        return image, self.y[index]


def normed_cnn(fault: str | None) -> Given:
    """A class with blocks, a Dataset of its own that augments, SGD with Nesterov momentum."""
    x, dev_x, y, dev_y = digits()
    if fault == "images in the order of their classes":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    if fault == "dev without one class, coded anew":
        dev_x, dev_y = dev_x[dev_y > 0], dev_y[dev_y > 0] - 1
    train = Shifted(x, y, augment=True, repeated=fault == "the Dataset gives the same few rows")
    dev = Shifted(dev_x, dev_y, augment=fault == "dev augmented at random")
    model = NormedCNN(fault)
    return {
        "model": model,
        "loss": lambda out, y: F.cross_entropy(out, y, label_smoothing=0.05),
        "train": DataLoader(train, batch_size=16, shuffle=fault != "images in the order of their classes"),
        "dev": DataLoader(dev, batch_size=64),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True),
    }


class PhotoNet(nn.Module):
    """Which photo is a patch of? Strided convolutions, GELU, mean pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.more = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.head = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.gelu(self.more(F.gelu(self.stem(x)))).mean((2, 3)))


def photo_patches_cnn(fault: str | None) -> Given:
    """Colour patches of two photos, with the channels last on disk."""
    x, dev_x, y, dev_y = (torch.tensor(each) for each in photo_patches())
    x, dev_x = x.float() / 255, dev_x.float() / 255
    if fault == "view instead of permute":
        x, dev_x = x.view(-1, 3, 16, 16), dev_x.view(-1, 3, 16, 16)
    else:
        x, dev_x = x.permute(0, 3, 1, 2), dev_x.permute(0, 3, 1, 2)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    x = (x - mean) / std
    if fault == "dev standardised with numbers for 0 to 255":
        dev_x = (dev_x - 127.5) / 127.5
    elif fault == "dev in the order blue, green, red":
        dev_x = ((dev_x - mean) / std).flip(1)
    else:
        dev_x = (dev_x - mean) / std
    if fault == "the first dev patches of train":
        dev_x, dev_y = torch.cat([x[:60], dev_x]), torch.cat([y[:60], dev_y])
    if fault == "every class compared with a name":
        y, dev_y = ((each.numpy().astype(str) == "flower").astype(np.int64) for each in (y, dev_y))
    model = PhotoNet()
    if fault == "first layers frozen, never trained":
        for part in (model.stem, model.more):
            part.requires_grad_(False)
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=3e-3)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": loader(x, y, batch=50, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=125),
        "optimizer": optimizer,
    }


PROGRAMS = (
    Program(
        "small CNN",
        "cnn",
        small_cnn,
        {
            "images of 0 to 255": ("SY102",),
            "images divided by 255 twice": ("SY102",),
            "integer division to zeros": ("SY104",),
            "missing pixels read as NaN": ("SY101",),
            "softmax at the end": ("SY201",),
            "ReLU at the end": ("SY219",),
            "dropout on the outputs": ("SY221",),
            "bias of -10 before the ReLU": ("SY403",),
            "only the head in the optimizer": ("SY204", "SY410"),
        },
    ),
    Program(
        "normed CNN",
        "cnn",
        normed_cnn,
        {
            "BatchNorm momentum of 0": ("SY604", "SY222"),
            "BatchNorm without running statistics": ("SY205", "SY604"),
            "flattened so that rows mix": ("SY205",),
            "features detached before the head": ("SY203", "SY410"),
            "dropout keeps one in fifty": ("SY221",),
            "images in the order of their classes": ("SY103",),
            "the Dataset gives the same few rows": ("SY107",),
            "dev augmented at random": ("SY605", "SY601"),
            "dev without one class, coded anew": ("SY608", "SY606"),
        },
    ),
    Program(
        "photo patches",
        "cnn",
        photo_patches_cnn,
        {
            "view instead of permute": ("SY112",),
            "dev standardised with numbers for 0 to 255": ("SY602",),
            "dev in the order blue, green, red": ("SY608", "SY602"),
            "the first dev patches of train": ("SY603",),
            "every class compared with a name": ("SY111",),
            "first layers frozen, never trained": ("SY410", "SY203"),
        },
    ),
)
