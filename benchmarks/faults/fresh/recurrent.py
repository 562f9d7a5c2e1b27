"""Recurrent networks on signals and on words."""

from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, chain, reviews, waves
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, TensorDataset

STYLE = "recurrent"


def loaders(train: Rows, dev: Rows, size: int = 32) -> dict[str, Any]:
    return {
        "train": DataLoader(TensorDataset(*train), size, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), size),
    }


def signals(model: nn.Module, lr: float = 5e-3) -> dict[str, Any]:
    train, dev, _ = waves()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optim.Adam(model.parameters(), lr=lr),
        **loaders(train, dev),
    }


class Waves(nn.Module):
    def __init__(self, cell: type[nn.RNNBase] = nn.LSTM, batch_first: bool = True, step: int = -1) -> None:
        super().__init__()
        self.rnn = cell(input_size=1, hidden_size=32, batch_first=batch_first)
        self.fc = nn.Linear(32, 3)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out[:, self.step, :])


def batch_first_forgotten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(60)
    return signals(Waves(batch_first=not broken), lr=0.01)


def first_step_read(broken: bool) -> dict[str, Any]:
    torch.manual_seed(61)
    return signals(Waves(nn.GRU, step=0 if broken else -1))


class RandomStart(nn.Module):
    def __init__(self, random: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 24, num_layers=2, batch_first=True)
        self.head = nn.Linear(24, 3)
        self.random = random

    def init_hidden(self, batch: int) -> Tensor:
        make = torch.randn if self.random else torch.zeros
        return make(2, batch, 24)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.gru(x, self.init_hidden(len(x)))
        return self.head(out.amax(dim=1))


def state_starts_at_random(broken: bool) -> dict[str, Any]:
    torch.manual_seed(62)
    return signals(RandomStart(broken))


class Remembering(nn.Module):
    """Starts where the last batch of as many rows ended, if `keep` is set."""

    def __init__(self, keep: bool) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)
        self.keep = keep
        self.h = None

    def forward(self, x: Tensor) -> Tensor:
        start = self.h if self.keep and self.h is not None and self.h.shape[1] == len(x) else None
        out, h = self.rnn(x, start)
        if self.keep:
            self.h = h.detach()
        return self.fc(out.mean(dim=1))


def state_kept_between_batches(broken: bool) -> dict[str, Any]:
    torch.manual_seed(63)
    return signals(Remembering(keep=broken))


def exploding_start(broken: bool) -> dict[str, Any]:
    torch.manual_seed(64)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(1, 48, nonlinearity="relu", batch_first=True)
            for name, p in self.rnn.named_parameters():
                if broken:
                    nn.init.normal_(p)
                elif name.startswith("weight_hh"):
                    nn.init.orthogonal_(p)
                elif name.startswith("bias"):
                    nn.init.zeros_(p)
            self.out = nn.Linear(48, 3)

        def forward(self, x):
            return self.out(self.rnn(x)[0].mean(dim=1))

    return signals(Net(), lr=3e-3)


class Tagger(nn.Module):
    """For each word: did it follow a smaller id, a larger one or itself?"""

    def __init__(self, words: int, tags: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words + 1, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 48, batch_first=True)
        self.tag = nn.Linear(48, tags)

    def forward(self, x: Tensor) -> Tensor:
        return self.tag(self.lstm(self.embed(x))[0])


def tagged(rows: int = 800, words: int = 8, longest: int = 20) -> tuple[Rows, Rows]:
    """Words 1 … 8 behind which stand zeros; tags 1 rising, 2 falling, 3 neither, and 0 at the padding."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(1, words + 1, (rows, longest), generator=draw)
    rises = F.pad(x[:, 1:] - x[:, :-1], (1, 0)).sign()
    y = torch.where(rises > 0, 1, torch.where(rises < 0, 2, 3))
    padding = torch.arange(longest) >= torch.randint(6, 13, (rows, 1), generator=draw)
    x, y = x.masked_fill(padding, 0), y.masked_fill(padding, 0)
    return Rows(x[:600], y[:600]), Rows(x[600:], y[600:])


def padding_counts(broken: bool) -> dict[str, Any]:
    torch.manual_seed(65)
    train, dev = tagged()
    model = Tagger(8, 4)
    criterion = nn.CrossEntropyLoss() if broken else nn.CrossEntropyLoss(ignore_index=0)
    return {
        "model": model,
        "loss": lambda out, tags: criterion(out.view(-1, 4), tags.view(-1)),
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        **loaders(train, dev),
    }


def softmax_over_time(broken: bool) -> dict[str, Any]:
    torch.manual_seed(66)
    train, dev = tagged()
    net = Tagger(8, 4)

    class LogTagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return F.log_softmax(self.net(x), dim=1 if broken else 2)

    model = LogTagger()
    return {
        "model": model,
        "loss": lambda log_p, tags: F.nll_loss(log_p.flatten(0, 1), tags.flatten(), ignore_index=0),
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        **loaders(train, dev),
    }


def logits_viewed(broken: bool) -> dict[str, Any]:
    torch.manual_seed(67)
    train, dev = tagged()
    model = Tagger(8, 4)

    def criterion(out: Tensor, tags: Tensor) -> Tensor:  # cross_entropy wants (rows, classes, steps)
        rows, steps, classes = out.shape
        out = out.view(rows, classes, steps) if broken else out.transpose(1, 2)
        return F.cross_entropy(out, tags, ignore_index=0)

    return {
        "model": model,
        "loss": criterion,
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        **loaders(train, dev),
    }


class LanguageModel(nn.Module):
    def __init__(self, tokens: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, 24)
        self.gru = nn.GRU(24, 32, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(64 if bidirectional else 32, tokens)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.gru(self.embed(ids))[0])


def next_token(out: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(out.reshape(-1, out.size(-1)), target.reshape(-1))


def language(model: nn.Module, shift: int = 1) -> dict[str, Any]:
    text = chain(900, 17)
    x, y = text[:, :16], text[:, shift : shift + 16]
    return {
        "model": model,
        "loss": next_token,
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        "classes": 12,
        **loaders(Rows(x[:700], y[:700]), Rows(x[700:], y[700:])),
    }


def reads_both_ways(broken: bool) -> dict[str, Any]:
    torch.manual_seed(68)
    return language(LanguageModel(12, bidirectional=broken))


def target_not_shifted(broken: bool) -> dict[str, Any]:
    torch.manual_seed(69)
    return language(LanguageModel(12), shift=0 if broken else 1)


def one_word_too_few(broken: bool) -> dict[str, Any]:
    torch.manual_seed(70)
    train, dev, _ = reviews()
    vocabulary = [f"word{i}" for i in range(1, 41)]  # the padding is id 0

    class Sentiment(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(len(vocabulary) + (0 if broken else 1), 16, padding_idx=0)
            self.lstm = nn.LSTM(16, 24, batch_first=True, bidirectional=True)
            self.fc = nn.Linear(48, 1)

        def forward(self, ids):
            out, _ = self.lstm(self.embed(ids))
            return self.fc(out.amax(1)).squeeze(1)

    model = Sentiment()
    return {
        "model": model,
        "loss": lambda z, y: F.binary_cross_entropy_with_logits(z, y.float()),
        "optimizer": optim.Adam(model.parameters(), lr=5e-3),
        **loaders(train, dev),
    }


PROGRAMS = [
    Program(
        "batch first forgotten",
        STYLE,
        ("SY205",),
        "the LSTM takes rows for steps: no batch_first=True",
        batch_first_forgotten,
    ),
    Program(
        "first step read",
        STYLE,
        ("SY213", "SY509", "SY501"),
        "out[:, 0] of a forward GRU has seen the first step only",
        first_step_read,
    ),
    Program("state starts at random", STYLE, ("SY601",), "h0 is drawn by randn at every call", state_starts_at_random),
    Program(
        "state kept between batches",
        STYLE,
        ("SY601", "SY205"),
        "the hidden state of one batch is the start of the next, whose rows are others",
        state_kept_between_batches,
    ),
    Program(
        "exploding start",
        STYLE,
        ("SY303", "SY402", "SY301", "SY401", "SY506"),
        "recurrent weights with a deviation of 1 under ReLU: the state explodes",
        exploding_start,
    ),
    Program(
        "padding counts", STYLE, ("SY114",), "no ignore_index: more than half of the tags are padding", padding_counts
    ),
    Program(
        "softmax over time",
        STYLE,
        ("SY209",),
        "log_softmax over dim 1, which is time, before NLLLoss",
        softmax_over_time,
    ),
    Program(
        "logits viewed",
        STYLE,
        ("SY504", "SY509", "SY501", "SY112"),
        "(rows, steps, classes) is viewed as (rows, classes, steps) instead of transposed",
        logits_viewed,
    ),
    Program(
        "reads both ways",
        STYLE,
        ("SY220",),
        "a language model that is bidirectional sees the next token",
        reads_both_ways,
    ),
    Program(
        "target not shifted",
        STYLE,
        ("SY105", "SY220"),
        "the target of a language model is its input, not the next token",
        target_not_shifted,
    ),
    Program(
        "one word too few",
        STYLE,
        ("SY113",),
        "the embedding has no row for the last word: 0 is the padding",
        one_word_too_few,
    ),
]
