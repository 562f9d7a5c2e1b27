"""Programs in the manner of Hugging Face: batches are dicts, models return an object with logits and their own loss."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from programs.data import PAD, ink_tokens
from programs.program import Given, Program


@dataclass
class Output:
    """What a model returns."""

    logits: Tensor
    loss: Tensor | None = None


class Tokens(Dataset[Any]):
    """Sentences as dicts."""

    def __init__(self, tokens: Any, labels: Any) -> None:
        self.tokens, self.labels = torch.tensor(tokens), torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        tokens = self.tokens[index]
        return {"input_ids": tokens, "attention_mask": (tokens != PAD).long(), "labels": self.labels[index]}


class Encoder(nn.Module):
    """Embeddings and torch's encoder layers."""

    def __init__(self, known: int, dropout: float) -> None:
        super().__init__()
        self.embed, self.places = nn.Embedding(known, 32, padding_idx=PAD), nn.Embedding(40, 32)
        layer = nn.TransformerEncoderLayer(32, 2, 64, dropout, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        x = self.embed(ids) + self.places.weight[: ids.shape[1]]
        return self.layers(x, src_key_padding_mask=None if mask is None else mask == 0)


class SentenceClassifier(nn.Module):
    """An encoder, the mean of what is no padding, a head; with labels it gives the loss."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.encoder = Encoder(
            60 if fault == "an embedding too small" else 65, 0.95 if fault == "dropout of 0.95" else 0.1
        )
        self.head = nn.Linear(32, 8 if fault == "num_labels too small" else 10)
        if fault == "a base that was never trained, frozen":
            self.encoder.requires_grad_(False)
        self.fault = fault

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> Output:
        if self.fault == "attention_mask ignored":
            pooled = self.encoder(input_ids, None).mean(1)
        else:
            kept = attention_mask.unsqueeze(-1).float()
            pooled = (self.encoder(input_ids, attention_mask) * kept).sum(1) / kept.sum(1).clamp(min=1)
        logits = self.head(pooled)
        if self.fault == "softmax before its own loss":
            logits = logits.softmax(-1)
        if labels is None:
            return Output(logits)
        loss = F.cross_entropy(logits, labels)
        if self.fault == "its own loss detached":
            loss = loss.detach()
        if self.fault == "its own loss with the wrong sign":
            loss = -loss
        return Output(logits, loss)


def sentences(fault: str | None) -> Given:
    """A sentence classifier that gives its own loss."""
    x, dev_x, y, dev_y = ink_tokens()
    model = SentenceClassifier(fault)
    rate = 0.5 if fault == "learning rate of 0.5" else 2e-3
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=rate)
    return {
        "model": model,
        "train": DataLoader(Tokens(x, y), batch_size=32, shuffle=True),
        "dev": DataLoader(Tokens(dev_x, dev_y), batch_size=64),
        "optimizer": optimizer,
    }


class TokenTagger(nn.Module):
    """Each token of a sentence bears a tag; padding bears none."""

    def __init__(self, fault: str | None) -> None:
        super().__init__()
        self.embed = nn.Embedding(65, 16, padding_idx=PAD)
        self.lstm = nn.LSTM(16, 32, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(64, 3)
        self.fault = fault

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Output:
        out, _ = self.lstm(self.embed(input_ids) * attention_mask.unsqueeze(-1))
        return Output(self.classifier(out))


class Tags(Tokens):
    """Is the next pixel with ink in the same row, the row below, or further? Padding is tagged -100."""

    def __init__(self, tokens: Any, fault: str | None) -> None:
        ids = torch.tensor(tokens)
        row = (ids - 1) // 8
        after = torch.cat([row[:, 1:], row[:, -1:]], 1)
        tags = (after - row).clamp(0, 2)
        last = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], PAD)], 1) == PAD
        tags = tags.masked_fill(last, 2).masked_fill(ids == PAD, 0 if fault == "padding tagged as a class" else -100)
        super().__init__(tokens, tags.tolist())


def tagger(fault: str | None) -> Given:
    """A tagger of tokens with a loss of its own outside the model."""
    x, dev_x, _, _ = ink_tokens()
    model = TokenTagger(fault)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        if fault == "probabilities before the loss":
            logits = logits.softmax(-1)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)

    return {
        "model": model,
        "loss": loss,
        "train": DataLoader(Tags(x, fault), batch_size=32, shuffle=True),
        "dev": DataLoader(Tags(dev_x, fault), batch_size=64),
        "optimizer": torch.optim.Adam(model.parameters(), lr=5e-3),
    }


PROGRAMS = (
    Program(
        "sentences",
        "hugging face",
        sentences,
        {
            "softmax before its own loss": ("SY201",),
            "attention_mask ignored": ("SY213",),
            "an embedding too small": ("SY113",),
            "num_labels too small": ("SY210",),
            "a base that was never trained, frozen": ("SY410", "SY203"),
            "its own loss detached": ("SY203",),
            "its own loss with the wrong sign": ("SY215",),
            "learning rate of 0.5": ("SY502", "SY505", "SY506"),
            "dropout of 0.95": ("SY221",),
        },
    ),
    Program(
        "tagger",
        "hugging face",
        tagger,
        {
            "padding tagged as a class": ("SY114",),
            "probabilities before the loss": ("SY201",),
        },
    ),
)
