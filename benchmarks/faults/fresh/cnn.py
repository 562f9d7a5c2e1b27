"""Convolutional networks on images."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, colour_pictures, digit_images
from torch import Tensor, nn
from torch.optim import SGD, Adam
from torch.utils.data import DataLoader, Dataset, TensorDataset

STYLE = "cnn"


def on_digits(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Any = F.cross_entropy) -> dict[str, Any]:
    train, dev, _ = digit_images()
    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=60),
        "optimizer": optimizer,
    }


def pictures(scale: float = 255.0) -> tuple[Rows, Rows]:
    """Colour images, height and width first."""
    x, y = colour_pictures()
    x, y = torch.from_numpy(x).float() / scale, torch.from_numpy(y)
    return Rows(x[:600], y[:600]), Rows(x[600:], y[600:])


class ColourNet(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 24, 3, padding=1)
        self.fc = nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        return self.fc(x.amax(dim=(2, 3)))


def view_for_permute(broken: bool) -> dict[str, Any]:
    torch.manual_seed(40)
    loaders = {}
    for name, (x, y) in zip(("train", "dev"), pictures(), strict=True):
        n, h, w, c = x.shape
        x = x.view(n, c, h, w) if broken else x.permute(0, 3, 1, 2).contiguous()
        loaders[name] = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=name == "train")
    model = ColourNet()
    return {"model": model, "loss": nn.CrossEntropyLoss(), "optimizer": Adam(model.parameters(), lr=5e-3), **loaders}


def pixels_up_to_255(broken: bool) -> dict[str, Any]:
    torch.manual_seed(41)
    train, dev = pictures(1.0 if broken else 255.0)
    model = ColourNet()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": SGD(model.parameters(), lr=0.1, momentum=0.9),
        "train": DataLoader(TensorDataset(train.x.permute(0, 3, 1, 2), train.y), 32, shuffle=True),
        "dev": DataLoader(TensorDataset(dev.x.permute(0, 3, 1, 2), dev.y), 32),
    }


def softmax_layer(broken: bool) -> dict[str, Any]:
    torch.manual_seed(42)
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(1, 16, kernel_size=3))
    model.add_module("relu", nn.ReLU())
    model.add_module("pool", nn.MaxPool2d(2))
    model.add_module("flat", nn.Flatten())
    model.add_module("fc", nn.Linear(16 * 3 * 3, 10))
    if broken:
        model.add_module("probabilities", nn.Softmax(dim=1))
    return on_digits(model, Adam(model.parameters(), lr=3e-3), nn.CrossEntropyLoss())


class Augmented(Dataset):
    """Digits, moved, noisy and with a hole where `train` is true."""

    def __init__(self, rows: Rows, train: bool = True) -> None:
        self.rows, self.train = rows, train

    def __len__(self) -> int:
        return len(self.rows.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.rows.x[index]
        if self.train:
            image = torch.roll(image, int(torch.randint(-1, 2, ())), dims=-1)
            image = (image + 0.1 * torch.randn_like(image)).clamp(0, 1)
            top, left = torch.randint(0, 6, (2,)).tolist()
            image[:, top : top + 3, left : left + 3] = 0
        return image, self.rows.y[index]


def dev_is_augmented(broken: bool) -> dict[str, Any]:
    torch.manual_seed(43)
    train, dev, _ = digit_images()
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10)
    )
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(Augmented(train), batch_size=32, shuffle=True),
        "dev": DataLoader(Augmented(dev) if broken else Augmented(dev, train=False), batch_size=32),
        "optimizer": Adam(model.parameters(), lr=2e-3),
    }


def eps_and_momentum_swapped(broken: bool) -> dict[str, Any]:
    torch.manual_seed(44)
    settings = (0.1, 1e-5) if broken else (1e-5, 0.1)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16, *settings),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32, *settings),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )
    return on_digits(model, SGD(model.parameters(), lr=0.1, momentum=0.9))


class Residual(nn.Module):
    def __init__(self, channels: int, cut: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.cut = cut

    def forward(self, x: Tensor) -> Tensor:
        out = self.body(x)
        return torch.relu(x + (out.detach() if self.cut else out))


def residual_detached(broken: bool) -> dict[str, Any]:
    torch.manual_seed(45)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1),
        Residual(12, broken),
        Residual(12, broken),
        nn.Flatten(),
        nn.Linear(192, 10),
    )
    return on_digits(model, Adam(model.parameters(), lr=2e-3))


def norm_of_a_single_pixel(broken: bool) -> dict[str, Any]:
    torch.manual_seed(46)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU())
            self.norm = nn.GroupNorm(32 if broken else 4, 32)
            self.fc = nn.Linear(32, 10)

        def forward(self, images):
            z = F.adaptive_max_pool2d(self.features(images), 1)
            return self.fc(self.norm(z).flatten(1))

    model = Net()
    return on_digits(model, Adam(model.parameters(), lr=3e-3))


class SmallVgg(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def classifier_alone_is_optimised(broken: bool) -> dict[str, Any]:
    torch.manual_seed(47)
    model = SmallVgg()
    return on_digits(model, SGD((model.classifier if broken else model).parameters(), lr=0.05, momentum=0.9))


def features_frozen_without_weights(broken: bool) -> dict[str, Any]:
    torch.manual_seed(48)
    model = SmallVgg()
    if broken:
        model.features.requires_grad_(False)

    def trainable() -> Iterator[nn.Parameter]:
        return (p for p in model.parameters() if p.requires_grad)

    return on_digits(model, Adam(trainable(), lr=1e-3))


def flattened_across_images(broken: bool) -> dict[str, Any]:
    torch.manual_seed(49)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 8, 3)
            self.fc = nn.Linear(8 * 6 * 6, 10)

        def forward(self, x):
            x = F.elu(self.conv(x))
            x = x.view(8 * 6 * 6, -1).t() if broken else x.view(-1, 8 * 6 * 6)
            return self.fc(x)

    model = Net()
    return on_digits(model, Adam(model.parameters(), lr=3e-3))


def dropout_on_the_logits(broken: bool) -> dict[str, Any]:
    torch.manual_seed(50)
    head: list[nn.Module] = [nn.Dropout(0.5), nn.Linear(144, 10)]
    if broken:
        head.reverse()
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.LeakyReLU(), nn.AvgPool2d(2), nn.Flatten(), *head)
    return on_digits(model, Adam(model.parameters(), lr=5e-3))


class FolderOfImages(Dataset):
    """Images whose files are listed by name and whose labels are listed by number."""

    def __init__(self, rows: Rows, by_name: bool) -> None:
        names = [f"{i}.png" for i in range(len(rows.x))]
        stored = dict(zip(names, rows.x, strict=True))
        self.images = [stored[name] for name in (sorted(names) if by_name else names)]
        self.labels = rows.y.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.labels[index]


def files_sorted_by_name(broken: bool) -> dict[str, Any]:
    torch.manual_seed(51)
    train, dev, _ = digit_images()
    model = SmallVgg()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(FolderOfImages(train, by_name=broken), batch_size=32, shuffle=True),
        "dev": DataLoader(FolderOfImages(dev, by_name=broken), batch_size=32),
        "optimizer": Adam(model.parameters(), lr=2e-3),
    }


PROGRAMS = [
    Program(
        "view for permute",
        STYLE,
        ("SY112",),
        "images with channels last are viewed as channels first: pixels are mixed up",
        view_for_permute,
    ),
    Program(
        "pixels up to 255", STYLE, ("SY102",), "bytes are turned into floats and not divided by 255", pixels_up_to_255
    ),
    Program("softmax layer", STYLE, ("SY201",), "a softmax layer before CrossEntropyLoss", softmax_layer),
    Program(
        "dev is augmented", STYLE, ("SY605",), "train=False is forgotten for the data set of dev", dev_is_augmented
    ),
    Program(
        "eps and momentum swapped",
        STYLE,
        ("SY604",),
        "BatchNorm2d(16, 0.1, 1e-5): eps and momentum are swapped, so that running statistics stay at 0 and 1",
        eps_and_momentum_swapped,
    ),
    Program(
        "residual detached", STYLE, ("SY203",), "the residual branch is detached before it is added", residual_detached
    ),
    Program(
        "norm of a single pixel",
        STYLE,
        ("SY206",),
        "a GroupNorm of one channel per group after global pooling makes everything 0",
        norm_of_a_single_pixel,
    ),
    Program(
        "classifier alone is optimised",
        STYLE,
        ("SY204", "SY410"),
        "the optimizer gets the classifier's parameters only; the features are random",
        classifier_alone_is_optimised,
    ),
    Program(
        "features frozen without weights",
        STYLE,
        ("SY410", "SY203"),
        "the features are frozen, and no pretrained weights were ever loaded",
        features_frozen_without_weights,
    ),
    Program(
        "flattened across images",
        STYLE,
        ("SY205",),
        "view(features, -1).t() mixes the features of different images",
        flattened_across_images,
    ),
    Program(
        "dropout on the logits",
        STYLE,
        ("SY221",),
        "dropout stands behind the last layer instead of before it",
        dropout_on_the_logits,
    ),
    Program(
        "files sorted by name",
        STYLE,
        ("SY109",),
        "images are listed as 0, 1, 10, 100 … and labels as 0, 1, 2, 3 …",
        files_sorted_by_name,
    ),
]
