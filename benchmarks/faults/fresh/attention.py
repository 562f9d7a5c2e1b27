"""Transformers, ready-made and written by hand."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, chain, reviews
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

STYLE = "transformer"
TOKENS, STEPS, WIDTH = 12, 16, 32


class Attention(nn.Module):
    """Causal self-attention; the switches undo one part each."""

    def __init__(self, causal: bool = True, diagonal: int = 1, over: int = -1, transposed_back: bool = True) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.causal, self.diagonal, self.over, self.transposed_back = causal, diagonal, over, transposed_back

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        q, k, v = (part.view(B, T, 4, C // 4).transpose(1, 2) for part in self.qkv(x).split(C, dim=-1))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        if self.causal:
            future = torch.triu(torch.ones(T, T, dtype=torch.bool), diagonal=self.diagonal)
            scores = scores.masked_fill(future, float("-inf"))
        y = scores.softmax(dim=self.over) @ v
        if self.transposed_back:
            y = y.transpose(1, 2)
        return self.proj(y.reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, **switches: Any) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = Attention(**switches)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class TinyGPT(nn.Module):
    def __init__(self, **switches: Any) -> None:
        super().__init__()
        self.tok = nn.Embedding(TOKENS, WIDTH)
        self.pos = nn.Parameter(0.02 * torch.randn(STEPS, WIDTH))
        self.blocks = nn.Sequential(Block(**switches), Block(**switches))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, TOKENS)

    def forward(self, idx: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.tok(idx) + self.pos[: idx.size(1)])))


def language(model: nn.Module) -> dict[str, Any]:
    text = chain(900, STEPS + 1, TOKENS, seed=3)
    sets = [TensorDataset(part[:, :-1], part[:, 1:]) for part in (text[:700], text[700:])]
    return {
        "model": model,
        "loss": lambda logits, y: F.cross_entropy(logits.transpose(1, 2), y),
        "train": DataLoader(sets[0], batch_size=32, shuffle=True),
        "dev": DataLoader(sets[1], batch_size=50),
        "optimizer": torch.optim.AdamW(model.parameters(), lr=3e-3),
    }


def no_causal_mask(broken: bool) -> dict[str, Any]:
    torch.manual_seed(80)
    return language(TinyGPT(causal=not broken))


def mask_hides_the_diagonal(broken: bool) -> dict[str, Any]:
    torch.manual_seed(81)
    return language(TinyGPT(diagonal=0 if broken else 1))


def softmax_over_queries(broken: bool) -> dict[str, Any]:
    torch.manual_seed(82)
    return language(TinyGPT(over=-2 if broken else -1))


def heads_not_transposed_back(broken: bool) -> dict[str, Any]:
    torch.manual_seed(83)
    return language(TinyGPT(transposed_back=not broken))


class Sentiment(nn.Module):
    """A ready-made encoder that answers at a token of its own in front of the words."""

    def __init__(self, inverted: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(42, WIDTH, padding_idx=0)  # 41 stands in front
        self.position = nn.Embedding(17, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.classify = nn.Linear(WIDTH, 2)
        self.inverted = inverted

    def forward(self, ids: Tensor) -> Tensor:
        ids = F.pad(ids, (1, 0), value=41)
        mask = ids != 0 if self.inverted else ids == 0
        h = self.embed(ids) + self.position.weight[: ids.size(1)]
        return self.classify(self.encoder(h, src_key_padding_mask=mask)[:, 0])


def sentiments(model: nn.Module) -> dict[str, Any]:
    train, dev, test = reviews()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=32),
        "test": DataLoader(TensorDataset(*test), batch_size=32),
        "optimizer": torch.optim.Adam(model.parameters(), lr=2e-3),
    }


def padding_mask_inverted(broken: bool) -> dict[str, Any]:
    torch.manual_seed(85)
    return sentiments(Sentiment(inverted=broken))


def which_comes_first(rows: int = 1200, steps: int = 10) -> tuple[Rows, Rows]:
    """Ids 2 … 19 and, once each, 0 and 1; the label says whether 1 comes before 0."""
    draw = torch.Generator().manual_seed(5)
    x = torch.randint(2, 20, (rows, steps), generator=draw)
    places = torch.rand(rows, steps, generator=draw).argsort(1)[:, :2]
    x[torch.arange(rows), places[:, 0]] = 0
    x[torch.arange(rows), places[:, 1]] = 1
    y = (places[:, 1] < places[:, 0]).long()
    return Rows(x[:900], y[:900]), Rows(x[900:], y[900:])


class Order(nn.Module):
    def __init__(self, positions: str, batch_first: bool = True) -> None:
        super().__init__()
        self.tok = nn.Embedding(20, WIDTH)
        if positions == "learnt":
            self.pos = nn.Parameter(0.3 * torch.randn(1, 10, WIDTH))
        elif positions == "plain tensor":
            self.pos = torch.zeros(1, 10, WIDTH, requires_grad=True)
        else:
            self.pos = None
        self.layer = nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.0, batch_first=batch_first, norm_first=True)
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, ids: Tensor) -> Tensor:
        h = self.tok(ids)
        if self.pos is not None:
            h = h + self.pos
        return self.head(self.layer(h).mean(dim=1))


def ordering(model: nn.Module) -> dict[str, Any]:
    train, dev = which_comes_first()
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(TensorDataset(*train), batch_size=32, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=100),
        "optimizer": torch.optim.Adam(model.parameters(), lr=3e-3),
    }


def no_positions(broken: bool) -> dict[str, Any]:
    torch.manual_seed(86)
    return ordering(Order("none" if broken else "learnt"))


def positions_no_parameter(broken: bool) -> dict[str, Any]:
    torch.manual_seed(87)
    return ordering(Order("plain tensor" if broken else "learnt"))


def encoder_takes_rows_for_steps(broken: bool) -> dict[str, Any]:
    torch.manual_seed(84)
    return ordering(Order("learnt", batch_first=not broken))


PROGRAMS = [
    Program(
        "no causal mask",
        STYLE,
        ("SY220",),
        "a language model without a causal mask sees the next token",
        no_causal_mask,
    ),
    Program(
        "mask hides the diagonal",
        STYLE,
        ("SY506", "SY401", "SY301"),
        "triu(diagonal=0) masks the token itself: the first row of scores is -inf and softmax gives NaN",
        mask_hides_the_diagonal,
    ),
    Program(
        "softmax over queries",
        STYLE,
        ("SY220",),
        "softmax over dim -2: weights of the past depend on what comes later",
        softmax_over_queries,
    ),
    Program(
        "heads not transposed back",
        STYLE,
        ("SY220",),
        "heads are joined by reshape without transpose(1, 2): steps get what later steps attended to",
        heads_not_transposed_back,
    ),
    Program(
        "encoder takes rows for steps",
        STYLE,
        ("SY205",),
        "TransformerEncoderLayer without batch_first=True attends over the rows of the batch",
        encoder_takes_rows_for_steps,
    ),
    Program(
        "padding mask inverted",
        STYLE,
        ("SY213", "SY206", "SY509", "SY504", "SY501"),
        "src_key_padding_mask is True at the words: attention sees nothing but padding",
        padding_mask_inverted,
    ),
    Program(
        "no positions",
        STYLE,
        ("SY509", "SY504", "SY501"),
        "order decides, and the transformer has no positions",
        no_positions,
    ),
    Program(
        "positions no parameter",
        STYLE,
        ("SY207", "SY204"),
        "positions are a plain tensor with requires_grad: no optimizer knows them",
        positions_no_parameter,
    ),
]
