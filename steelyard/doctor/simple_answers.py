"""What can be predicted of targets without the user's model: ridge regression and nearest neighbours on the inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.rows import stacked

ROWS, WIDTH, WORDS = 2048, 768, 512  # of train, columns of one input, and places for codes of words
PENALTY, NEIGHBOURS = 0.1, 5  # of ridge, times the rows; nearest rows that vote


@dataclass(frozen=True)
class Answers:
    """Predictions (rows, classes or values) for the second half of train and for dev, by a fit on the first half."""

    of_train: Tensor
    of_dev: Tensor


def features(batches: Sequence[Batch]) -> Tensor:
    """Inputs as numbers (rows, columns): pictures made small, codes counted."""
    found = []
    for rows in stacked(batches).values():
        if not rows.is_floating_point() and rows.dim() == 2 and rows.shape[1] > 2:
            counts = torch.zeros(len(rows), WORDS)
            found.append(counts.scatter_add(1, rows.long() % WORDS, torch.ones(rows.shape)))
            continue
        x = rows.float()
        if x.dim() == 4 and x.shape[-1] > 12:
            x = F.adaptive_avg_pool2d(x, 12)
        x = x.reshape(len(x), -1)
        found.append(x[:, :: -(-x.shape[1] // WIDTH)])
    return torch.cat(found, 1)


def answers(train: Tensor, y: Tensor, dev: Tensor) -> list[Answers]:
    """Of ridge regression and of nearest neighbours; `y` is (rows, classes or values)."""
    train, y = train[:ROWS], y[:ROWS]
    half = len(train) // 2
    mean, spread = train.mean(0), train.std(0)
    fit, check, dev = (((x - mean) / spread.clamp(min=1e-6))[:, spread > 0].clamp(-10, 10) for x in _halves(train, dev))
    offset = y[:half].mean(0)
    gram = fit.T @ fit + PENALTY * half * torch.eye(fit.shape[1])
    weights = torch.linalg.solve(gram, fit.T @ (y[:half] - offset))
    near = [_voted(fit, y[:half], side) for side in (check, dev)]
    return [Answers(check @ weights + offset, dev @ weights + offset), Answers(*near)]


def _halves(train: Tensor, dev: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    half = len(train) // 2
    return train[:half], train[half:], dev


def _voted(fit: Tensor, y: Tensor, x: Tensor) -> Tensor:
    nearest = torch.cdist(x, fit).topk(min(NEIGHBOURS, len(fit)), largest=False).indices
    return y[nearest].mean(1)
