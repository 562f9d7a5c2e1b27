"""Real data that scikit-learn brings, as the programs use it: images, token sequences, text, photos, a series."""

from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_sample_images,
    load_wine,
)
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

INK = 8  # grey values over it (of 0 to 16) are ink
PAD = 0
DESCRIBED = (load_iris, load_wine, load_breast_cancer, load_diabetes, load_digits, load_linnerud)


def tensors(*arrays: Any) -> list[Tensor]:
    """Arrays as tensors: real numbers as float32, whole numbers as int64."""
    found = [torch.as_tensor(np.ascontiguousarray(each)) for each in arrays]
    return [each.float() if each.is_floating_point() else each.long() for each in found]


def loader(*arrays: Any, batch: int = 32, shuffle: bool = False, drop_last: bool = False) -> DataLoader[Any]:
    """A DataLoader over rows."""
    return DataLoader(TensorDataset(*tensors(*arrays)), batch_size=batch, shuffle=shuffle, drop_last=drop_last)


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    bunch = load_digits()
    return bunch.images, bunch.target


def digits(rows: int = 1797) -> list[np.ndarray]:
    """(train images, dev images, train classes, dev classes); images (rows, 8, 8) with grey values 0 to 16."""
    images, target = _digits()
    return [each.copy() for each in train_test_split(images[:rows], target[:rows], test_size=0.25, random_state=0)]


def ink_tokens() -> list[np.ndarray]:
    """Digits as sentences: the places (1 to 64) of the pixels with ink, in reading order, padded with 0.

    (train tokens (rows, 40), dev tokens, train classes, dev classes).
    """
    train, dev, y, dev_y = digits()
    return [_places(train), _places(dev), y, dev_y]


def _places(images: np.ndarray, length: int = 40) -> np.ndarray:
    tokens = np.full((len(images), length), PAD)
    for row, image in zip(tokens, images.reshape(len(images), -1), strict=True):
        places = np.flatnonzero(image > INK)[:length] + 1
        row[: len(places)] = places
    return tokens


@cache
def text() -> str:
    """The descriptions of six data sets, in lower case."""
    return "\n".join(load().DESCR for load in DESCRIBED).lower()


def alphabet() -> str:
    """The characters of the text; the first is kept free for padding."""
    return "\0" + "".join(sorted(set(text())))


def windows(length: int = 33) -> tuple[Tensor, Tensor]:
    """Pieces of text as codes (rows, length), of two parts that do not overlap: (train, dev)."""
    code = {sign: number for number, sign in enumerate(alphabet())}
    codes = torch.tensor([code[sign] for sign in text()])
    pieces = codes[: len(codes) // length * length].view(-1, length)
    held = torch.arange(len(pieces)) % 6 == 5
    return pieces[~held], pieces[held]


def lines(length: int = 49) -> tuple[Tensor, Tensor]:
    """Lines of text as codes, padded with 0: (train, dev)."""
    code = {sign: number for number, sign in enumerate(alphabet())}
    said = sorted({line.strip()[:length] for line in text().split("\n") if len(line.strip()) > 8})
    rows = torch.full((len(said), length), PAD)
    for row, line in zip(rows, said, strict=True):
        row[: len(line)] = torch.tensor([code[sign] for sign in line])
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    cut = len(rows) // 5
    return rows[order[cut:]], rows[order[:cut]]


@cache
def _photos() -> list[np.ndarray]:
    return list(load_sample_images().images)


def photo_patches(size: int = 16, each: int = 500) -> list[np.ndarray]:
    """Patches (rows, size, size, 3), 0 to 255, of two photos: (train, dev, which photo in train, … in dev)."""
    random = np.random.default_rng(0)
    patches, which = [], []
    for number, photo in enumerate(_photos()):
        cut = photo[: photo.shape[0] // size * size, : photo.shape[1] // size * size]
        grid = cut.reshape(cut.shape[0] // size, size, -1, size, 3).swapaxes(1, 2).reshape(-1, size, size, 3)
        patches.append(grid[random.permutation(len(grid))[:each]])
        which.append(np.full(each, number))
    return list(train_test_split(np.concatenate(patches), np.concatenate(which), test_size=0.25, random_state=0))


def brightness(past: int = 16) -> list[np.ndarray]:
    """Windows of a series, the brightness along the rows of a photo: (train, dev, next value in train, … in dev)."""
    grey = _photos()[0].mean(2)[::9, :400]
    cut = np.lib.stride_tricks.sliding_window_view(grey, past + 1, axis=1)[:, ::12]
    held = np.arange(len(grey)) % 4 == 3
    train, dev = cut[~held].reshape(-1, past + 1), cut[held].reshape(-1, past + 1)
    return [train[:, :-1], dev[:, :-1], train[:, -1], dev[:, -1]]
