"""Batches that are dicts, models that take labels and give their own loss: the style of Hugging Face."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, chain, reviews
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, Dataset

STYLE = "dict batches"
PAD, CLS, SEP = 0, 41, 42


class Encoded(Dataset):
    """Examples as dicts of tensors."""

    def __init__(self, **columns: Tensor) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: column[index] for name, column in self.columns.items()}


@dataclass
class Output:
    loss: Tensor | None
    logits: Tensor


class TextClassifier(nn.Module):
    def __init__(self, vocab_size: int, num_labels: int = 2, softmax: bool = False) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, 24)
        self.encoder = nn.Sequential(nn.Linear(24, 48), nn.Tanh())
        self.classifier = nn.Linear(48, num_labels)
        self.softmax = softmax

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> Output:
        mask = attention_mask.unsqueeze(-1).float()
        h = self.encoder(self.embeddings(input_ids))
        logits = self.classifier((h * mask).sum(1) / mask.sum(1).clamp(min=1))
        if self.softmax:
            logits = F.softmax(logits, dim=-1)
        return Output(None if labels is None else F.cross_entropy(logits, labels), logits)


def loaders(train: Dataset, dev: Dataset) -> dict[str, Any]:
    return {"train": DataLoader(train, batch_size=32, shuffle=True), "dev": DataLoader(dev, batch_size=50)}


def classify(model: nn.Module, encode: Any, lr: float = 5e-3) -> dict[str, Any]:
    train, dev, _ = reviews()
    return {
        "model": model,
        "optimizer": AdamW(model.parameters(), lr=lr),
        **loaders(Encoded(**encode(train)), Encoded(**encode(dev))),
    }


def encoded(rows: Rows) -> dict[str, Tensor]:
    return {"input_ids": rows.x, "attention_mask": (rows.x != PAD).long(), "labels": rows.y}


def special_tokens_added(broken: bool) -> dict[str, Any]:
    torch.manual_seed(200)

    def encode(rows: Rows) -> dict[str, Tensor]:
        ids = F.pad(F.pad(rows.x, (1, 0), value=CLS), (0, 1), value=PAD)
        ids[torch.arange(len(ids)), (ids != PAD).sum(1)] = SEP
        return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": rows.y}

    return classify(TextClassifier(41 if broken else 43), encode)


def probabilities_inside(broken: bool) -> dict[str, Any]:
    torch.manual_seed(201)
    return classify(TextClassifier(41, softmax=broken), encoded)


def mask_of_padding(broken: bool) -> dict[str, Any]:
    torch.manual_seed(202)

    def encode(rows: Rows) -> dict[str, Tensor]:
        attention_mask = (rows.x == PAD) if broken else (rows.x != PAD)
        return {"input_ids": rows.x, "attention_mask": attention_mask.long(), "labels": rows.y}

    return classify(TextClassifier(41), encode)


def label_ids_per_part(broken: bool) -> dict[str, Any]:
    torch.manual_seed(203)
    names = ("negative", "positive")
    known: dict[str, int] = {}

    def encode(rows: Rows) -> dict[str, Tensor]:
        said = [names[y] for y in rows.y]
        if broken and known:
            said_first = sorted(set(said), reverse=True)  # as an unordered set may give them
            label2id = {name: i for i, name in enumerate(said_first)}
        else:
            label2id = known or {name: i for i, name in enumerate(sorted(set(said)))}
        known.update(label2id)
        labels = torch.tensor([label2id[name] for name in said])
        return {**encoded(rows), "labels": labels}

    return classify(TextClassifier(41), encode)


def encoder_frozen(broken: bool) -> dict[str, Any]:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(204)
    config = BertConfig(
        vocab_size=41, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, num_labels=2
    )
    model = BertForSequenceClassification(config)  # from a config: no weights are loaded
    if broken:
        for parameter in model.bert.parameters():
            parameter.requires_grad = False
    return classify(model, encoded, lr=2e-3)


def genres(rows: int = 1200) -> tuple[Rows, Rows]:
    """Ten words of thirty; the label is the third from which most of them come: 0, 1 or 2."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(1, 31, (3 * rows, 10), generator=draw)
    counts = F.one_hot((x - 1) // 10, 3).sum(1)
    top = counts.sort(dim=1, descending=True)
    clear = torch.nonzero(top.values[:, 0] > top.values[:, 1] + 1).flatten()[:rows]
    x, y = x[clear], top.indices[clear, 0]
    return Rows(x[:900], y[:900]), Rows(x[900:], y[900:])


def one_label_for_three(broken: bool) -> dict[str, Any]:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(205)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(vocab_size=31, num_labels=1 if broken else 3, **sizes))

    def encode(rows: Rows) -> Encoded:
        return Encoded(
            input_ids=rows.x,
            attention_mask=torch.ones_like(rows.x),
            labels=rows.y.float() if broken else rows.y,  # a lone label is regressed on
        )

    train, dev = genres()
    return {
        "model": model,
        "optimizer": AdamW(model.parameters(), lr=2e-3),
        **loaders(encode(train), encode(dev)),
    }


class TokenTagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(41, 24, padding_idx=PAD)
        self.conv = nn.Conv1d(24, 48, 3, padding=1)
        self.out = nn.Linear(48, 3)

    def forward(self, input_ids, labels=None):
        h = F.relu(self.conv(self.embed(input_ids).transpose(1, 2))).transpose(1, 2)
        logits = self.out(h)
        out = {"logits": logits}
        if labels is not None:
            out["loss"] = F.cross_entropy(logits.view(-1, 3), labels.view(-1), ignore_index=-100)
        return out


def labels_padded_with_a_class(broken: bool) -> dict[str, Any]:
    torch.manual_seed(206)

    def encode(rows: Rows) -> Encoded:
        ids = rows.x
        before = F.pad(ids[:, :-1], (1, 0))
        tags = torch.where(ids > 24, 0, torch.where(before > ids, 1, 2))
        return Encoded(input_ids=ids, labels=tags.masked_fill(ids == PAD, 0 if broken else -100))

    train, dev, _ = reviews(longest=24)
    model = TokenTagger()
    return {"model": model, "optimizer": AdamW(model.parameters(), lr=5e-3), **loaders(encode(train), encode(dev))}


class CausalLM(nn.Module):
    """A model of convolutions that look back only."""

    def __init__(self, shift: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 32)
        self.conv = nn.Conv1d(32, 48, 3)
        self.lm_head = nn.Linear(48, 12)
        self.shift = shift

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        h = F.pad(self.embed(input_ids).transpose(1, 2), (2, 0))
        logits = self.lm_head(F.gelu(self.conv(h)).transpose(1, 2))
        if self.shift:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        else:
            loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": logits}


def nobody_shifts(broken: bool) -> dict[str, Any]:
    torch.manual_seed(207)
    text = chain(900, 16, seed=4)
    model = CausalLM(shift=not broken)
    return {
        "model": model,
        "optimizer": AdamW(model.parameters(), lr=3e-3),
        **loaders(
            Encoded(input_ids=text[:700], labels=text[:700].clone()),
            Encoded(input_ids=text[700:], labels=text[700:].clone()),
        ),
    }


def softmax_in_own_loss(broken: bool) -> dict[str, Any]:
    torch.manual_seed(208)

    def loss(out: Output, target: Tensor) -> Tensor:
        scores = out.logits.softmax(-1) if broken else out.logits
        return nn.functional.cross_entropy(scores, target)

    return {**classify(TextClassifier(41), encoded), "loss": loss}


PROGRAMS = [
    Program(
        "special tokens added",
        STYLE,
        ("SY113",),
        "ids of [CLS] and [SEP] lie behind the embedding, which was never resized",
        special_tokens_added,
    ),
    Program(
        "probabilities inside",
        STYLE,
        ("SY201",),
        "the model takes softmax before its own cross-entropy",
        probabilities_inside,
    ),
    Program(
        "mask of padding",
        STYLE,
        ("SY206", "SY213"),
        "attention_mask is 1 at the padding and 0 at the words",
        mask_of_padding,
    ),
    Program(
        "label ids per part", STYLE, ("SY608",), "label2id is made anew for dev, in another order", label_ids_per_part
    ),
    Program(
        "encoder frozen",
        STYLE,
        ("SY410", "SY203"),
        "an encoder made from a config, with random weights, is frozen",
        encoder_frozen,
    ),
    Program(
        "one label for three",
        STYLE,
        ("SY216", "SY210"),
        "num_labels=1 regresses on the codes of three classes",
        one_label_for_three,
    ),
    Program(
        "labels padded with a class",
        STYLE,
        ("SY114",),
        "labels are padded with 0, which is a class, instead of -100",
        labels_padded_with_a_class,
    ),
    Program(
        "nobody shifts",
        STYLE,
        ("SY220", "SY105"),
        "labels are the input ids, and the model does not shift them: it copies",
        nobody_shifts,
    ),
    Program(
        "softmax in own loss", STYLE, ("SY201",), "the loss takes softmax before cross_entropy", softmax_in_own_loss
    ),
]
