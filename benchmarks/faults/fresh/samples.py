"""Rows for the programs: small sets that scikit-learn brings, and sequences and images drawn by a seed."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class Rows(NamedTuple):
    """Inputs and what goes with them."""

    x: torch.Tensor
    y: torch.Tensor


def thirds(x: np.ndarray, y: np.ndarray, seed: int = 0, classes: bool = True) -> tuple[Rows, Rows, Rows]:
    """Train, dev and test: 60, 20 and 20 % of the rows, floats as 32 bits."""
    x, rest, y, truth = train_test_split(x, y, test_size=0.4, random_state=seed, stratify=y if classes else None)
    dev, test, y_dev, y_test = train_test_split(
        rest, truth, test_size=0.5, random_state=seed, stratify=truth if classes else None
    )
    return Rows(_tensor(x), _tensor(y)), Rows(_tensor(dev), _tensor(y_dev)), Rows(_tensor(test), _tensor(y_test))


def _tensor(values: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    return tensor.float() if tensor.is_floating_point() else tensor


def digits() -> tuple[Rows, Rows, Rows]:
    """Pixels (N, 64) from 0 to 1, classes 0 to 9."""
    x, y = load_digits(return_X_y=True)
    return thirds(x / 16.0, y.astype(np.int64))


def digit_images() -> tuple[Rows, Rows, Rows]:
    """Images (N, 1, 8, 8) from 0 to 1, classes 0 to 9."""
    return tuple(Rows(x.view(-1, 1, 8, 8), y) for x, y in digits())  # type: ignore[return-value]


def cancer() -> tuple[Rows, Rows, Rows]:
    """Thirty measures of a tumour, standardised by those of train; 0 malignant, 1 benign."""
    return _standardised(*load_breast_cancer(return_X_y=True))


def wine() -> tuple[Rows, Rows, Rows]:
    """Thirteen measures of a wine, standardised by those of train; three growers."""
    return _standardised(*load_wine(return_X_y=True))


def _standardised(x: np.ndarray, y: np.ndarray) -> tuple[Rows, Rows, Rows]:
    train, dev, test = thirds(x, y.astype(np.int64))
    scaler = StandardScaler().fit(train.x.numpy())
    return tuple(Rows(_tensor(scaler.transform(x.numpy())).float(), y) for x, y in (train, dev, test))  # type: ignore[return-value]


def friedman(rows: int = 1200, seed: int = 0) -> tuple[Rows, Rows, Rows]:
    """Ten inputs, five of which matter, and a value (N,); both standardised by those of train."""
    train, dev, test = thirds(*make_friedman1(rows, noise=0.5, random_state=seed), classes=False)
    center, scale = train.x.mean(0), train.x.std(0)
    mean, std = train.y.mean(), train.y.std()
    return tuple(Rows((x - center) / scale, (y - mean) / std) for x, y in (train, dev, test))  # type: ignore[return-value]


def waves(rows: int = 900, steps: int = 24, seed: int = 0) -> tuple[Rows, Rows, Rows]:
    """Noisy sines (N, steps, 1) of any phase with one, two or four periods: three classes."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, rows)
    time = np.linspace(0, 2 * np.pi, steps)
    x = np.sin(2.0 ** kinds[:, None] * time + random.uniform(0, 2 * np.pi, (rows, 1)))
    return thirds((x + random.normal(0, 0.2, x.shape))[..., None], kinds)


def chain(rows: int, steps: int, tokens: int = 12, seed: int = 0) -> torch.Tensor:
    """Sequences of tokens 0 … tokens - 1; eight in ten steps go to the token's usual successor, the others anywhere.

    No two are the same but for their last token.
    """
    random = np.random.default_rng(seed)
    cycle = random.permutation(tokens)
    successor = np.empty(tokens, np.int64)
    successor[cycle] = np.roll(cycle, -1)
    sequences = np.empty((2 * rows, steps), np.int64)
    sequences[:, 0] = random.integers(0, tokens, 2 * rows)
    for step in range(1, steps):
        usual = successor[sequences[:, step - 1]]
        sequences[:, step] = np.where(random.random(2 * rows) < 0.8, usual, random.integers(0, tokens, 2 * rows))
    _, first = np.unique(sequences[:, :-1], axis=0, return_index=True)
    return torch.from_numpy(sequences[random.permutation(first)[:rows]])


def reviews(rows: int = 1000, words: int = 40, longest: int = 16, seed: int = 0) -> tuple[Rows, Rows, Rows]:
    """Word ids 1 … words, padded with 0 behind; label 1 where words 1–12 outnumber words 13–24."""
    random = np.random.default_rng(seed)
    x, y = np.zeros((4 * rows, longest), np.int64), np.zeros(4 * rows, np.int64)
    for row in range(len(x)):
        length = random.integers(longest // 3, longest)
        x[row, :length] = random.integers(1, words + 1, length)
        y[row] = np.sum((x[row] >= 1) & (x[row] <= 12)) - np.sum((x[row] >= 13) & (x[row] <= 24))
    clear = np.flatnonzero(np.abs(y) >= 2)[:rows]
    return thirds(x[clear], (y[clear] > 0).astype(np.int64))


def colour_pictures(rows: int = 800, size: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (N, size, size, 3): a red or a blue patch, standing or lying, anywhere on a noisy ground; four classes."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 4, rows)
    pictures = random.integers(0, 110, (rows, size, size, 3))
    for picture, kind in zip(pictures, kinds, strict=True):
        height, width = (6, 3) if kind % 2 else (3, 6)
        top, left = random.integers(0, size - height + 1), random.integers(0, size - width + 1)
        picture[top : top + height, left : left + width, 0 if kind < 2 else 2] += 140
    return pictures.astype(np.uint8), kinds
