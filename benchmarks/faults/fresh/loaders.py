"""Data sets, samplers and loaders that give something else than was meant."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, digits, wine
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

STYLE = "loaders"


def digit_program(train: Any, dev: Any = None, seed: int = 0) -> dict[str, Any]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 56), nn.ReLU(), nn.Linear(56, 10))
    if dev is None:
        dev = DataLoader(TensorDataset(*digits()[1]), batch_size=64)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": train,
        "dev": dev,
        "optimizer": Adam(model.parameters(), lr=3e-3),
        "classes": 10,
    }


class Shifted(Dataset):
    def __init__(self, rows: Rows, by: int) -> None:
        self.rows, self.by = rows, by

    def __len__(self) -> int:
        return len(self.rows.y) - 1

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.rows.x[i], self.rows.y[i + self.by]


def label_of_the_next_row(broken: bool) -> dict[str, Any]:
    train, dev, _ = digits()
    by = 1 if broken else 0
    return digit_program(
        DataLoader(Shifted(train, by), batch_size=32, shuffle=True), DataLoader(Shifted(dev, by), batch_size=32), 240
    )


class Stream(IterableDataset):
    """Batches of rows that are mixed anew each time."""

    def __init__(self, rows: Rows, starts_over: bool, size: int = 32) -> None:
        self.rows, self.starts_over, self.size = rows, starts_over, size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        x, y = self.rows
        order = torch.arange(len(y)) if self.starts_over else torch.randperm(len(y))
        at = 0
        for _ in range(len(y) // self.size):
            rows = order[at : at + self.size]
            yield x[rows], y[rows]
            if not self.starts_over:
                at += self.size


def stream_starts_over(broken: bool) -> dict[str, Any]:
    return digit_program(DataLoader(Stream(digits()[0], broken), batch_size=None), seed=241)


def weights_of_classes(broken: bool) -> dict[str, Any]:
    train, _, _ = digits()
    of_class = 1.0 / torch.bincount(train.y).float()
    weights = of_class if broken else of_class[train.y]
    torch.manual_seed(242)
    sampler = WeightedRandomSampler(weights, num_samples=len(train.y))
    return digit_program(DataLoader(TensorDataset(*train), batch_size=32, sampler=sampler), seed=242)


def buffer_not_copied(broken: bool) -> dict[str, Any]:
    train, _, _ = digits()
    buffer, rows = np.zeros(64, dtype=np.float32), []
    for image in train.x.numpy():
        buffer[:] = image
        rows.append(buffer if broken else buffer.copy())
    data = list(zip(rows, train.y.tolist(), strict=True))
    return digit_program(DataLoader(data, batch_size=32, shuffle=True), seed=243)


def inputs_sorted_alone(broken: bool) -> dict[str, Any]:
    """Sequences of unlike length are sorted by it, as packing wants them."""
    draw = torch.Generator().manual_seed(0)

    def sequences(count: int) -> list[tuple[Tensor, Tensor]]:
        kinds = torch.randint(0, 3, (count,), generator=draw)
        lengths = torch.randint(6, 15, (count,), generator=draw).tolist()
        middle = 1.2 * (kinds - 1)
        return [
            (torch.randn(n, 2, generator=draw) * 0.6 + m, k) for n, m, k in zip(lengths, middle, kinds, strict=True)
        ]

    def collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
        inputs = sorted((x for x, _ in batch), key=len, reverse=True)
        if not broken:
            batch = sorted(batch, key=lambda pair: len(pair[0]), reverse=True)
        lengths = torch.tensor([len(x) for x in inputs])
        return nn.utils.rnn.pad_sequence(inputs, batch_first=True), lengths, torch.stack([y for _, y in batch])

    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(2, 24, batch_first=True)
            self.fc = nn.Linear(24, 3)

        def forward(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
            return self.fc(self.gru(packed)[1][-1])

    torch.manual_seed(244)
    model = Packed()
    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": DataLoader(sequences(700), batch_size=25, shuffle=True, collate_fn=collate),
        "dev": DataLoader(sequences(200), batch_size=25, collate_fn=collate),
        "optimizer": Adam(model.parameters(), lr=5e-3),
    }


class FileByFile(IterableDataset):
    """One file per class, read one after the other, or in turns."""

    def __init__(self, rows: Rows, in_turns: bool) -> None:
        self.files = [rows.x[rows.y == kind] for kind in range(10)]
        self.in_turns = in_turns

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        pairs = [(x, kind) for kind, file in enumerate(self.files) for x in file]
        order = torch.randperm(len(pairs)).tolist() if self.in_turns else range(len(pairs))
        for i in order:
            yield pairs[i]


def one_file_after_the_other(broken: bool) -> dict[str, Any]:
    return digit_program(DataLoader(FileByFile(digits()[0], in_turns=not broken), batch_size=32), seed=245)


class Batches:
    """A list of batches that may be gone through again and again."""

    def __init__(self, x: Tensor, y: Tensor, size: int, shuffle: bool) -> None:
        self.x, self.y, self.size, self.shuffle = x, y, size, shuffle

    def __len__(self) -> int:
        return -(-len(self.x) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.x)) if self.shuffle else torch.argsort(self.y, stable=True)
        return iter([(self.x[rows], self.y[rows]) for rows in order.split(self.size)])


def batches_by_class(broken: bool) -> dict[str, Any]:
    train, dev, _ = wine()
    torch.manual_seed(246)
    model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": Batches(*train, size=16, shuffle=not broken),
        "dev": DataLoader(TensorDataset(*dev), batch_size=36),
        "optimizer": Adam(model.parameters(), lr=5e-3),
    }


def generator_for_a_loader(broken: bool) -> dict[str, Any]:
    train, _, _ = digits()
    batches = Batches(*train, size=32, shuffle=True)
    return digit_program((batch for batch in batches) if broken else batches, seed=247)


def batch_larger_than_the_set(broken: bool) -> dict[str, Any]:
    train, _, _ = digits()
    size = 2048 if broken else 32
    return digit_program(DataLoader(TensorDataset(*train), batch_size=size, shuffle=True, drop_last=True), seed=248)


def parts_overlap(broken: bool) -> dict[str, Any]:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    data = TensorDataset(torch.tensor(X[order] / 16).float(), torch.tensor(y[order]))
    train = torch.utils.data.Subset(data, range(1300))
    dev = torch.utils.data.Subset(data, range(1000 if broken else 1300, 1797))
    return digit_program(DataLoader(train, batch_size=32, shuffle=True), DataLoader(dev, batch_size=64), seed=249)


def split_in_order_of_class(broken: bool) -> dict[str, Any]:
    X, y = load_digits(return_X_y=True)
    order = np.argsort(y, kind="stable")  # as the folders are read
    if not broken:
        order = np.random.default_rng(1).permutation(order)
    X, y = torch.tensor(X[order] / 16).float(), torch.tensor(y[order])
    train, dev = TensorDataset(X[:1400], y[:1400]), TensorDataset(X[1400:], y[1400:])
    return digit_program(DataLoader(train, batch_size=32, shuffle=True), DataLoader(dev, batch_size=64), seed=250)


def dev_is_train(broken: bool) -> dict[str, Any]:
    train_set, dev_set = (TensorDataset(*rows) for rows in digits()[:2])
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    dev_loader = DataLoader(train_set if broken else dev_set, batch_size=64)
    return digit_program(train_loader, dev_loader, seed=251)


def window_holds_its_target(broken: bool) -> dict[str, Any]:
    time = np.arange(1400)
    noise = np.random.default_rng(2).normal(0, 0.4, 1400)
    series = torch.tensor(np.sin(2 * np.pi * time / 25) + noise).float()

    class Windows(Dataset):
        def __init__(self, first: int, last: int) -> None:
            self.days = range(first + 16, last)

        def __len__(self) -> int:
            return len(self.days)

        def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
            t = self.days[i]
            window = series[t - 15 : t + 1] if broken else series[t - 16 : t]
            return window, series[t : t + 1]

    torch.manual_seed(252)
    model = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 1))
    return {
        "model": model,
        "loss": nn.MSELoss(),
        "train": DataLoader(Windows(0, 1000), batch_size=32, shuffle=True),
        "dev": DataLoader(Windows(1000, 1400), batch_size=32),
        "optimizer": Adam(model.parameters(), lr=3e-3),
    }


PROGRAMS = [
    Program(
        "label of the next row", STYLE, ("SY109",), "__getitem__ takes the label of row i + 1", label_of_the_next_row
    ),
    Program(
        "stream starts over",
        STYLE,
        ("SY107",),
        "an iterable data set gives its first 32 rows again and again",
        stream_starts_over,
    ),
    Program(
        "weights of classes",
        STYLE,
        ("SY107", "SY606"),
        "WeightedRandomSampler gets ten weights of classes for rows: it draws the first ten rows",
        weights_of_classes,
    ),
    Program(
        "buffer not copied",
        STYLE,
        ("SY107", "SY108", "SY104"),
        "all rows are one buffer that holds the last image",
        buffer_not_copied,
    ),
    Program(
        "inputs sorted alone",
        STYLE,
        ("SY109",),
        "collate sorts sequences by length and leaves the labels",
        inputs_sorted_alone,
    ),
    Program(
        "one file after the other",
        STYLE,
        ("SY103",),
        "an iterable data set reads the file of one class after the other",
        one_file_after_the_other,
    ),
    Program("batches by class", STYLE, ("SY103",), "batches are made in order of class", batches_by_class),
    Program(
        "generator for a loader",
        STYLE,
        ("SY001",),
        "train is a generator, empty after one epoch",
        generator_for_a_loader,
    ),
    Program(
        "batch larger than the set",
        STYLE,
        ("SY001",),
        "drop_last with a batch larger than the set: no batch at all",
        batch_larger_than_the_set,
    ),
    Program("parts overlap", STYLE, ("SY603",), "dev begins before train ends", parts_overlap),
    Program(
        "split in order of class",
        STYLE,
        ("SY606",),
        "rows are split in order of class: dev holds classes train lacks",
        split_in_order_of_class,
    ),
    Program("dev is train", STYLE, ("SY603",), "the loader of dev is made of the train set", dev_is_train),
    Program(
        "window holds its target",
        STYLE,
        ("SY105", "SY220"),
        "the window of inputs ends one step late, on the target",
        window_holds_its_target,
    ),
]
