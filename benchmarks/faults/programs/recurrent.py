"""Sequences and recurrent networks."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import PAD, alphabet, brightness, digits, ink_tokens, lines, loader, tensors
from programs.program import Given, Program


class RowReader(nn.Module):
    """An LSTM reads a digit row by row; its last output is classified."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 48, batch_first=fault != "batch_first forgotten")
        self.head = nn.Linear(48, 10)
        self.fault = fault
        self.state: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        before = self.state if self.state is not None and self.state[0].shape[1] == len(x) else None
        out, state = self.lstm(x, before)
        if self.fault == "state kept from batch to batch":
            self.state = (state[0].detach(), state[1].detach())
        last = out[:, 0] if self.fault == "the first step read in place of the last" else out[:, -1]
        if self.fault == "hidden part detached":
            last = last.detach()
        logits = self.head(last)
        return F.softmax(logits, -1) if self.fault == "softmax before the loss" else logits


def row_reader(fault: str | None) -> Given:
    """An LSTM over the rows of a digit; the step clips gradients."""
    x, dev_x, y, dev_y = digits()
    model = RowReader(fault)
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    bound = 1e-6 if fault == "gradients clipped to 1e-6" else 1.0

    def step(batch: list[Tensor]) -> Tensor:
        x, y = batch
        if fault != "zero_grad forgotten":
            optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), bound)
        optimizer.step()
        return value

    return {
        "model": model,
        "loss": loss,
        "train": loader(x / 16, y, batch=32, shuffle=True),
        "dev": loader(dev_x / 16, dev_y, batch=32),
        "optimizer": optimizer,
        "step": step,
    }


class TokenGRU(nn.Module):
    """An embedding, a GRU over packed sentences, and a head."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        size = 64 if fault == "an embedding one row too small" else 65
        if fault == "an embedding of random numbers, frozen":
            self.embed = nn.Embedding.from_pretrained(torch.randn(65, 24), padding_idx=PAD)
        else:
            self.embed = nn.Embedding(size, 24, padding_idx=PAD)
        self.gru = nn.GRU(24, 48, batch_first=True)
        self.dropout = nn.Dropout(0.95 if fault == "dropout of 0.95" else 0.1)
        self.head = nn.Linear(48, 9 if fault == "a class too few" else 10)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != PAD).sum(1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, state = self.gru(packed)
        return self.head(self.dropout(state[-1]))


def token_gru(fault: str | None) -> Given:
    """Sentences of tokens, padded; Adam."""
    x, dev_x, y, dev_y = ink_tokens()
    if fault == "tokens and labels shuffled by two generators":
        x, y = np.random.default_rng(0).permutation(x), np.random.default_rng(1).permutation(y)
    model = TokenGRU(fault)
    rate = 5.0 if fault == "learning rate of 5" else 5e-3
    return {
        "model": model,
        "loss": lambda out, y: F.cross_entropy(out, y),
        "train": loader(x, y, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=rate),
    }


class Forecaster(nn.Module):
    """The next value of a series from a GRU over the past ones."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.head = nn.Linear(24, 1)
        self.fault = fault

    def forward(self, past: Tensor) -> Tensor:
        out, _ = self.gru(past.unsqueeze(-1))
        value = self.head(out[:, -1])
        if self.fault == "sigmoid on a standardised value":
            value = torch.sigmoid(value)
        return value if self.fault == "forecast (N, 1) and truth (N,)" else value.squeeze(-1)


def forecaster(fault: str | None) -> Given:
    """A forecast of a series, standardised; mean squared error by hand."""
    x, dev_x, y, dev_y = brightness()
    mean, std = x.mean(), x.std()
    if fault == "the value to forecast in the window":
        x, dev_x = np.concatenate([x[:, 1:], y[:, None]], 1), np.concatenate([dev_x[:, 1:], dev_y[:, None]], 1)
    x, dev_x = (x - mean) / std, (dev_x - mean) / std
    if fault != "values to forecast not scaled":
        y, dev_y = (y - mean) / std, (dev_y - mean) / std
    model = Forecaster(fault)
    decay = 10.0 if fault == "weight decay of 10" else 0.0
    return {
        "model": model,
        "loss": lambda out, y: ((out - y) ** 2).mean(),
        "train": loader(x, y, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=256),
        "optimizer": torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=decay),
    }


class LineModel(nn.Module):
    """The next character of a line, by a GRU."""

    def __init__(self, signs: int, fault: str | None) -> None:
        super().__init__()
        self.embed = nn.Embedding(signs, 32)
        both = fault == "a bidirectional reader"
        self.gru = nn.GRU(32, 64, batch_first=True, bidirectional=both)
        self.head = nn.Linear(128 if both else 64, signs)

    def forward(self, codes: Tensor) -> Tensor:
        out, _ = self.gru(self.embed(codes))
        return self.head(out)


def line_model(fault: str | None) -> Given:
    """A language model on padded lines; the targets are the next characters."""
    train, dev = lines()
    signs = len(alphabet())

    def loss(out: Tensor, y: Tensor) -> Tensor:
        ignored = -100 if fault == "padding counts in the loss" else PAD
        if fault == "logits brought to (N, V, T) by view":
            return F.cross_entropy(out.view(len(out), signs, -1), y, ignore_index=ignored)
        return F.cross_entropy(out.transpose(1, 2), y, ignore_index=ignored)

    def pairs(rows: Tensor) -> tuple[Tensor, Tensor]:
        return rows[:, :-1], rows[:, :-1] if fault == "targets not moved by one" else rows[:, 1:]

    model = LineModel(signs, fault)
    return {
        "model": model,
        "loss": loss,
        "train": loader(*tensors(*pairs(train)), batch=32, shuffle=True),
        "dev": loader(*tensors(*pairs(dev)), batch=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=5e-3),
    }


PROGRAMS = (
    Program(
        "row reader",
        "recurrent",
        row_reader,
        {
            "batch_first forgotten": ("SY205",),
            "state kept from batch to batch": ("SY601", "SY205"),
            "the first step read in place of the last": ("SY213",),
            "hidden part detached": ("SY203", "SY410"),
            "softmax before the loss": ("SY201",),
            "gradients clipped to 1e-6": ("SY409",),
            "zero_grad forgotten": ("SY407",),
        },
    ),
    Program(
        "token GRU",
        "recurrent",
        token_gru,
        {
            "an embedding one row too small": ("SY113",),
            "an embedding of random numbers, frozen": ("SY410", "SY203"),
            "dropout of 0.95": ("SY221",),
            "a class too few": ("SY210",),
            "tokens and labels shuffled by two generators": ("SY109",),
            "learning rate of 5": ("SY502", "SY505", "SY506"),
        },
    ),
    Program(
        "forecaster",
        "recurrent",
        forecaster,
        {
            "sigmoid on a standardised value": ("SY211",),
            "forecast (N, 1) and truth (N,)": ("SY202",),
            "the value to forecast in the window": ("SY105", "SY220"),
            "values to forecast not scaled": ("SY106",),
            "weight decay of 10": ("SY508",),
        },
    ),
    Program(
        "line model",
        "recurrent",
        line_model,
        {
            "a bidirectional reader": ("SY220",),
            "padding counts in the loss": ("SY114",),
            "logits brought to (N, V, T) by view": ("SY210", "SY112"),
            "targets not moved by one": ("SY105", "SY220"),
        },
    ),
)
