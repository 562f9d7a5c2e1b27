"""Programs with sequences, pictures, several inputs or several outputs, for the tests of wiring."""

from typing import Any

import torch
from programs import Setup
from torch import nn
from torch.nn import functional as F


def batches(*parts: torch.Tensor, size: int = 32) -> list[Any]:
    return list(zip(*(each.split(size) for each in parts), strict=True))


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def program(model: nn.Module, train: list[Any], loss: Any = None, **more: Any) -> Setup:
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    return {"model": model, "loss": loss, "train": train, "optimizer": optimizer} | more


def series(rows: int = 128, steps: int = 12) -> list[Any]:
    """Sequences (N, T, 3) and the class of their sum."""
    x = torch.randn(rows, steps, 3, generator=drawn())
    return batches(x, (x[:, :, 0].sum(1) > 0).long())


class Reader(nn.Module):
    """A recurrent network that reads a sequence; `step` is the output that it goes on with."""

    def __init__(self, step: int = -1, batch_first: bool = True, both: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.read = nn.GRU(3, 16, batch_first=batch_first, bidirectional=both)
        self.head, self.step = nn.Linear(32 if both else 16, 2), step

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x)[0][:, self.step])


def tokens(rows: int = 96, steps: int = 10, words: int = 20, padded: bool = False) -> torch.Tensor:
    ids = torch.randint(1, words, (rows, steps), generator=drawn())
    if padded:
        lengths = torch.randint(3, steps + 1, (rows,), generator=drawn(1))
        lengths[0] = steps
        ids[torch.arange(steps)[None] >= lengths[:, None]] = 0
    return ids


class Language(nn.Module):
    """A small model of language: `kind` gru, both (reads both ways), causal or full (attention)."""

    def __init__(self, kind: str = "causal", words: int = 20, width: int = 16) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind = kind
        self.embed, self.place = nn.Embedding(words, width), nn.Parameter(0.02 * torch.randn(1, 10, width))
        if kind in ("gru", "both"):
            self.body: nn.Module = nn.GRU(width, width, batch_first=True, bidirectional=kind == "both")
        else:
            layer = nn.TransformerEncoderLayer(width, 2, 32, batch_first=True, norm_first=True)
            self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(2 * width if kind == "both" else width, words)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids) + self.place[:, : ids.shape[1]]
        if self.kind in ("gru", "both"):
            return self.head(self.body(x)[0])
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1]) if self.kind == "causal" else None
        return self.head(self.body(x, mask=mask))


def next_token(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out.flatten(0, 1), target.flatten())


def language(kind: str) -> Setup:
    ids = tokens()
    return program(Language(kind), batches(ids[:, :-1].clone(), ids[:, 1:].clone()), next_token)


class Classifier(nn.Module):
    """A transformer that classifies padded token sequences, with a mask."""

    def __init__(self, words: int = 20, width: int = 16, pool: str = "mean", masked: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.masked = masked
        self.embed, self.place = nn.Embedding(words, width, padding_idx=0), nn.Embedding(10, width)
        layer = nn.TransformerEncoderLayer(width, 2, 32, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head, self.pool = nn.Linear(width, 2), pool

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids) + self.place(torch.arange(ids.shape[1]))
        if not self.masked:
            return self.head(self.body(x).mean(1))
        x = self.body(x, src_key_padding_mask=mask == 0)
        kept = mask[:, :, None].float()
        return self.head(x[:, 0] if self.pool == "first" else (x * kept).sum(1) / kept.sum(1))


def classified(pool: str = "mean", masked: bool = True) -> Setup:
    ids = tokens(padded=True)
    return program(
        Classifier(pool=pool, masked=masked),
        batches(ids, (ids > 0).long(), (ids[:, 0] > 9).long()),
        nn.CrossEntropyLoss(),
    )


class Block(nn.Module):
    """A residual block of convolutions whose last normalisation starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.first, self.second = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.second(self.two(F.relu(self.first(self.one(x)), inplace=True))))


class Residual(nn.Module):
    """A small residual network for pictures."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.body = nn.Sequential(Block(8), nn.MaxPool2d(2), Block(8))
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def pictures(size: int = 9) -> list[Any]:
    y = torch.randint(3, (96,), generator=drawn())
    return batches(torch.randn(96, 3, size, size, generator=drawn(1)) + 0.7 * y[:, None, None, None], y)


class TwoHeads(nn.Module):
    """A class and a value from one body."""

    def __init__(self, dictionary: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.kind, self.size, self.dictionary = nn.Linear(32, 4), nn.Linear(32, 1), dictionary

    def forward(self, x: torch.Tensor) -> Any:
        h = self.body(x)
        kind, size = self.kind(h), self.size(h).squeeze(1)
        return {"kind": kind, "size": size, "features": h} if self.dictionary else (kind, size)


def two_targets() -> list[Any]:
    x = torch.randn(128, 10, generator=drawn())
    return batches(x, (x[:, :2] > 0).long() @ torch.tensor([1, 2]), x[:, 2] * 2)
