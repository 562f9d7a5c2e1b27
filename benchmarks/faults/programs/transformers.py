"""Transformers: an encoder that classifies, and a causal language model."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from programs.data import alphabet, digits, loader, windows
from programs.program import Given, Program


class RowEncoder(nn.Module):
    """The rows of a digit as eight tokens, torch's own encoder, mean pooling."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.project = nn.Linear(8, 32)
        self.places = nn.Parameter(0.02 * torch.randn(8, 32))
        dropout = 0.95 if fault == "dropout of 0.95" else 0.1
        first = fault != "batch_first forgotten"
        layers = [nn.TransformerEncoderLayer(32, 4, 64, dropout, batch_first=first) for _ in range(3)]
        self.layers = nn.ModuleList([layers[0]] * 3 if fault == "one layer three times" else layers)
        self.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 10))
        if fault == "softmax as a module":
            self.head.append(nn.Softmax(dim=-1))
        if fault == "tanh on the logits":
            self.head.append(nn.Tanh())
        self.fault = fault

    def forward(self, rows: Tensor) -> Tensor:
        x = self.project(rows) + self.places
        for layer in self.layers:
            x = layer(x)
        pooled = x.mean(1)
        if self.fault == "pooled after detach":
            pooled = pooled.detach()
        return self.head(pooled)


def row_encoder(fault: str | None) -> Given:
    """AdamW and a warm-up, with a step of its own."""
    x, dev_x, y, dev_y = digits()
    if fault == "grey values not scaled":
        x, dev_x = x * 16, dev_x * 16
    else:
        x, dev_x = x / 16, dev_x / 16
    model = RowEncoder(fault)
    rate = 1.0 if fault == "learning rate of 1" else 2e-3
    decay = 10.0 if fault == "weight decay of 10" else 0.01
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: min(1.0, (done + 1) / 20))

    def step(batch: list[Tensor]) -> Tensor:
        x, y = batch
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warm_up.step()
        return loss

    return {
        "model": model,
        "loss": F.cross_entropy,
        "train": loader(x, y, batch=64, shuffle=True),
        "dev": loader(dev_x, dev_y, batch=64),
        "optimizer": optimizer,
        "step": step,
    }


class PatchAttention(nn.Module):
    """Attention written out, over the four quarters of a digit."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.embed = nn.Linear(16, 32)
        self.places = nn.Parameter(torch.randn(4, 32) * 0.1)
        self.query, self.key, self.value = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)
        self.norm = nn.LayerNorm(32)
        self.out = nn.Linear(32, 10)
        self.fault = fault

    def forward(self, image: Tensor) -> Tensor:
        quarters = F.unfold(image, 4, stride=4).transpose(1, 2)
        x = torch.tanh(self.embed(quarters)) + self.places
        query, key, value = self.query(x), self.key(x), self.value(x)
        if self.fault == "keys and values outside the graph":
            key, value = self.key(x.detach()).data, self.value(x.detach()).data
        scores = query @ key.transpose(1, 2) / math.sqrt(32)
        weights = F.softmax(scores, dim=0 if self.fault == "softmax over the rows" else -1)
        x = self.norm(x + weights @ value)
        logits = self.out(x.mean(1))
        return logits.softmax(-1) if self.fault == "probabilities out" else logits


class Wrapped(nn.Module):
    """A loss module of one's own around cross entropy."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.CrossEntropyLoss()

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        return self.inner(out, y)


def patch_attention(fault: str | None) -> Given:
    """Attention of one's own and a loss module of one's own, RMSprop."""
    x, dev_x, y, dev_y = digits()
    model = PatchAttention(fault)
    return {
        "model": model,
        "loss": Wrapped(),
        "train": loader(x[:, None] / 8 - 1, y, batch=32, shuffle=True),
        "dev": loader(dev_x[:, None] / 8 - 1, dev_y, batch=32),
        "optimizer": torch.optim.RMSprop(model.parameters(), lr=1e-3),
    }


class CausalBlock(nn.Module):
    """Attention to the past and a feed-forward part, normalised first."""

    def __init__(self, width: int, fault: str | None) -> None:
        super().__init__()
        self.norm, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        query, key, value = (
            part.view(rows, length, 4, width // 4).transpose(1, 2) for part in self.mix(self.norm(x)).split(width, -1)
        )
        scores = query @ key.transpose(-2, -1) / math.sqrt(width // 4)
        seen = torch.ones(length, length, dtype=torch.bool).tril()
        if self.fault == "the mask the wrong way round":
            seen = seen.T
        if self.fault != "causal mask missing":
            scores = scores.masked_fill(~seen, float("-inf"))
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(rows, length, width)
        x = x + self.project(mixed)
        return x + self.feed(self.after(x))


class CharModel(nn.Module):
    """A small GPT."""

    def __init__(self, signs: int, fault: str | None) -> None:
        super().__init__()
        width = 48
        known = signs - 5 if fault == "vocabulary counted on a part of the text" else signs
        self.embed, self.places = nn.Embedding(known, width), nn.Embedding(32, width)
        for table in (self.embed, self.places):
            nn.init.normal_(table.weight, std=1.0 if fault == "tied to an embedding of unit variance" else 0.02)
        self.blocks = nn.ModuleList([CausalBlock(width, fault) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, known, bias=False)
        self.head.weight = self.embed.weight
        self.fault = fault

    def forward(self, codes: Tensor) -> Tensor:
        x = self.embed(codes) + self.places(torch.arange(codes.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def char_model(fault: str | None) -> Given:
    """Characters of text, weights of embedding and head tied; targets are the next characters."""
    train, dev = windows()
    signs = len(alphabet())
    model = CharModel(signs, fault)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        if fault == "softmax before the loss":
            out = out.softmax(-1)
        return F.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1))

    def shifted(rows: Tensor) -> tuple[Tensor, Tensor]:
        return rows[:, :-1], rows[:, :-1] if fault == "targets not shifted" else rows[:, 1:]

    return {
        "model": model,
        "loss": loss,
        "train": loader(*shifted(train), batch=32, shuffle=True),
        "dev": loader(*shifted(dev), batch=64),
        "optimizer": torch.optim.AdamW(model.parameters(), lr=3e-3),
    }


PROGRAMS = (
    Program(
        "row encoder",
        "transformer",
        row_encoder,
        {
            "batch_first forgotten": ("SY205",),
            "one layer three times": ("SY217",),
            "softmax as a module": ("SY201",),
            "tanh on the logits": ("SY219",),
            "pooled after detach": ("SY203", "SY410"),
            "dropout of 0.95": ("SY221",),
            "grey values not scaled": ("SY102",),
            "learning rate of 1": ("SY502", "SY505", "SY506"),
            "weight decay of 10": ("SY508",),
        },
    ),
    Program(
        "patch attention",
        "transformer",
        patch_attention,
        {
            "softmax over the rows": ("SY205",),
            "keys and values outside the graph": ("SY203", "SY410"),
            "probabilities out": ("SY201",),
        },
    ),
    Program(
        "character model",
        "transformer",
        char_model,
        {
            "causal mask missing": ("SY220",),
            "the mask the wrong way round": ("SY220",),
            "targets not shifted": ("SY105", "SY220"),
            "tied to an embedding of unit variance": ("SY301",),
            "vocabulary counted on a part of the text": ("SY113", "SY210"),
            "softmax before the loss": ("SY201",),
        },
    ),
)
