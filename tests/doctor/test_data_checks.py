"""Checks of data name planted faults in several styles, and are silent on sound programs that look suspicious."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from programs import Setup, Tagger, blobs, classifier, labels, mlp, regressor, values
from torch import nn
from torch.nn import functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler

from steelyard.doctor import examine
from steelyard.doctor.finding import Examination

OTHERS = ("SY2", "SY3", "SY4", "SY5", "SY6")


def looked_at(setup: Setup) -> Examination:
    return examine(**setup, ignore=OTHERS)


def pile(seed: int = 0, rows: int = 256, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows around the centres of their classes."""
    x, y = (torch.cat(each) for each in zip(*blobs(rows, classes=classes, seed=seed), strict=True))
    return x, y


def split(x: torch.Tensor, y: torch.Tensor, batch: int = 32) -> list[Any]:
    return list(zip(x.split(batch), y.split(batch), strict=True))


def smooth(rows: int = 48, side: int = 16, wide: int | None = None, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth pictures (rows, 3, side, wide): waves of a colour each, of as many lengths as there are classes."""
    random = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (rows,), generator=random)
    down, along = torch.linspace(0, 1, side)[:, None], torch.linspace(0, 1, wide or side)[None]
    phase = 6 * torch.rand(rows, 3, 1, 1, generator=random)
    x = torch.sin(phase + (y[:, None, None, None] + 1) * 3 * down + 4 * along)
    return x + 0.05 * torch.randn(x.shape, generator=random), y


class Net(nn.Module):
    """A convolutional network; `before` is what it does to its inputs."""

    def __init__(self, before: Callable[[torch.Tensor], torch.Tensor] = lambda x: x, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.before = before
        self.conv, self.head = nn.Conv2d(channels, 8, 3, padding=1), nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.adaptive_avg_pool2d(self.conv(self.before(x)).relu(), 2).flatten(1))


def pictures(x: torch.Tensor, y: torch.Tensor, model: nn.Module | None = None) -> Setup:
    return classifier(model or Net(), train=split(x, y, 16), dev=None)


class Forgetful(Dataset):
    """`__getitem__` forgets its index, for inputs or for all."""

    def __init__(self, whole: bool) -> None:
        self.x, self.y = pile()
        self.whole = whole

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Any:
        return self.x[0], self.y[0 if self.whole else index]


def tokens(rows: int = 64, places: int = 9, size: int = 50, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes 1 … size - 1, filled up with 0 to one length, and how long they are."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, size, (rows, places), generator=random)
    length = torch.randint(places // 3, places + 1, (rows,), generator=random)
    ids[torch.arange(places)[None] >= length[:, None]] = 0
    return ids, length


class Reader(nn.Module):
    """A recurrent network that says something of each token."""

    def __init__(self, size: int = 50, outputs: int = 50, both: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(size, 16)
        self.read = nn.GRU(16, 16, batch_first=True, bidirectional=both)
        self.head = nn.Linear(32 if both else 16, outputs)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(self.embed(ids))[0])


class Causal(nn.Module):
    """A language model that shifts its labels itself, as Hugging Face's do."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Reader()

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        logits = self.body(input_ids)
        if labels is None:
            return {"logits": logits}
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, 50), labels[:, 1:].reshape(-1))
        return {"loss": loss, "logits": logits}


def each_token(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda out, y: loss(out.transpose(1, 2), y)


def tagged(loss: Callable[..., Any], change: Callable[[torch.Tensor], torch.Tensor] = lambda y: y) -> Setup:
    """Tags 1 … 4 of tokens, 0 where they are filled up."""
    ids, _ = tokens()
    y = change(torch.where(ids > 0, ids % 4 + 1, 0))
    return classifier(Reader(outputs=5), loss=each_token(loss), train=split(ids, y, 16), dev=None)


def written(labels_of: Callable[[torch.Tensor], torch.Tensor]) -> Setup:
    ids, _ = tokens()
    batches = [{"input_ids": i, "labels": labels_of(i)} for i in ids.split(16)]
    model = Causal()
    return {"model": model, "train": batches, "optimizer": torch.optim.AdamW(model.parameters(), 1e-3)}


def next_token(shift: bool, both: bool = False) -> Setup:
    ids = torch.randint(1, 50, (64, 9), generator=torch.Generator().manual_seed(0))
    x, y = (ids[:, :-1], ids[:, 1:]) if shift else (ids, ids)
    loss = each_token(nn.CrossEntropyLoss())
    return classifier(Reader(both=both), loss=loss, train=split(x, y, 16), dev=None)


def coded(size: int, shift: int = 0, seen: int = 50) -> Setup:
    ids, _ = tokens(size=seen)
    torch.manual_seed(0)
    model = nn.Sequential(nn.EmbeddingBag(size, 8), nn.Linear(8, 2))
    return classifier(model, train=split(ids + shift, (ids[:, 0] > 20).long(), 16), dev=None)


class TwoInputs(nn.Module):
    def __init__(self, first: int = 10) -> None:
        super().__init__()
        self.body = mlp(first + 1)

    def forward(self, features: torch.Tensor, extra: torch.Tensor) -> torch.Tensor:
        return self.body(torch.cat([features, extra.reshape(len(extra), -1).float()], 1))


def with_extra(extra: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Setup:
    batches = [{"features": x, "extra": extra(x, y), "target": y} for x, y in blobs()]
    return classifier(TwoInputs(), train=batches, dev=None)


def twice(share: float, conflicting: bool = False) -> list[Any]:
    """Rows of which a share stands a second time, under another label if so wanted; shuffled."""
    x, y = pile()
    many = int(share * len(x))
    x, y = torch.cat([x, x[:many]]), torch.cat([y, (y[:many] + conflicting) % 4])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return split(x[order], y[order])


def few_values(rows: int = 256) -> list[Any]:
    """A table of three columns with three values each; the label is a matter of chance."""
    random = torch.Generator().manual_seed(0)
    x = torch.randint(3, (rows, 3), generator=random)
    y = (torch.rand(rows, generator=random) < 0.2 + 0.3 * x[:, 0]).long()
    return split(x.float() - 1, y)


def one_hot(rows: int = 256, columns: int = 300) -> list[Any]:
    random = torch.Generator().manual_seed(0)
    y = torch.randint(3, (rows,), generator=random)
    words = torch.stack([100 * y // 3 * 3 + torch.randint(100, (rows,), generator=random) for _ in range(8)], 1)
    return split(torch.zeros(rows, columns).scatter(1, words.clamp(max=columns - 1), 1.0), y)


def rare(resampled: bool) -> DataLoader:
    x, y = pile(rows=512, classes=2)
    kept = (y == 0) | (torch.arange(512) % 12 == 0)
    data = TensorDataset(x[kept], y[kept])
    weights = (1.0 / torch.bincount(y[kept]).float())[y[kept]]
    sampler = WeightedRandomSampler(weights.tolist(), len(weights), generator=torch.Generator().manual_seed(0))
    return DataLoader(data, 32, sampler=sampler) if resampled else DataLoader(data, 32, shuffle=True)


def sorted_set(rows: int = 4096) -> TensorDataset:
    x, y = pile(rows=rows)
    order = y.argsort()
    return TensorDataset(x[order], y[order])


class Scales(nn.Module):
    """A model that brings its inputs to unit size itself."""

    def __init__(self, body: nn.Module, mean: float, spread: float) -> None:
        super().__init__()
        self.body, self.mean, self.spread = body, mean, spread
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body((x.float() - self.mean) / self.spread) * self.gain


class Unscales(nn.Module):
    def __init__(self, mean: float, spread: float) -> None:
        super().__init__()
        self.body, self.mean, self.spread = mlp(6, 1), mean, spread

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mean + self.spread * self.body(x).squeeze(1)


def in_classes(change: Callable[[torch.Tensor], torch.Tensor], model: nn.Module | None = None) -> Setup:
    return classifier(model, train=[(change(x), y) for x, y in blobs()], dev=None)


def in_values(change: Callable[[torch.Tensor], torch.Tensor], model: nn.Module | None = None) -> Setup:
    return regressor(model, train=[(x, change(y)) for x, y in values()], dev=None)


def _with_nan() -> list[Any]:
    batches = blobs(128, seed=1)
    batches[2][0][3, 1] = float("nan")
    return batches


def _sorted_values() -> Setup:
    x, y = (torch.cat(each) for each in zip(*values(), strict=True))
    order = y.argsort()
    return regressor(train=split(x[order], y[order]), dev=None)


def _class_blocks(batch: int) -> list[Any]:
    """Batches of one class each, in random order."""
    x, y = pile()
    batches = [
        (x[y == code][i : i + batch], y[y == code][i : i + batch]) for code in range(4) for i in range(0, 48, batch)
    ]
    return [batches[i] for i in torch.randperm(len(batches), generator=torch.Generator().manual_seed(0))]


def _drawn_by_class() -> DataLoader:
    """Eight rows of each of four classes a batch, as for metric learning."""
    x, y = pile(rows=512, classes=8)
    random = torch.Generator().manual_seed(0)
    listed = []
    for _ in range(16):
        few = [(y == code).nonzero()[:, 0] for code in torch.randperm(8, generator=random)[:4]]
        listed.append([int(row) for rows in few for row in rows[torch.randperm(len(rows), generator=random)[:8]]])
    return DataLoader(TensorDataset(x, y), batch_sampler=listed)


def _one_column_line() -> Setup:
    x = torch.linspace(0, 1, 256)[torch.randperm(256, generator=torch.Generator().manual_seed(0)), None]
    return regressor(nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1)), train=split(x, 3 * x + 1), dev=None)


def _walk(lags: int = 12) -> Setup:
    """The next value of a random walk from those before: the last one nearly is the answer."""
    walk = torch.randn(400, generator=torch.Generator().manual_seed(0)).cumsum(0)
    walk = (walk - walk.mean()) / walk.std()
    windows = walk.unfold(0, lags + 1, 1)
    windows = windows[torch.randperm(len(windows), generator=torch.Generator().manual_seed(0))]
    model = nn.Sequential(nn.Linear(lags, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    return regressor(model, train=split(windows[:, :-1], windows[:, -1]), dev=None)


class Cut(nn.Module):
    """Convolutions over words: embedded, turned or not."""

    def __init__(self, turned: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.turned, self.embed = turned, nn.Embedding(50, 16)
        self.conv, self.head = nn.Conv1d(16 if turned else 9, 8, 3), nn.Linear(8, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids)
        return self.head(self.conv(x.transpose(1, 2) if self.turned else x).relu().amax(2))


def words(model: nn.Module) -> Setup:
    ids, _ = tokens()
    return classifier(model, train=split(ids, (ids[:, 0] > 25).long(), 16), dev=None)


def _jumbled(x: torch.Tensor) -> torch.Tensor:
    """Pictures (rows, channels, height, width) with channels last, then counted off anew."""
    return x.permute(0, 2, 3, 1).reshape(x.shape)


def _masked() -> Setup:
    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        each = F.cross_entropy(out, y, reduction="none")
        return (each * (y > 0)).sum() / (y > 0).sum()

    return tagged(loss)


def _change_points() -> Setup:
    """Zeros before a change, ones after it, to the end of every row: no padding."""
    random = torch.Generator().manual_seed(0)
    when = torch.randint(2, 8, (64, 1), generator=random)
    y = (torch.arange(9)[None] >= when).long()
    ids = torch.randint(1, 25, (64, 9), generator=random) + 25 * y
    return classifier(Reader(outputs=2), loss=each_token(nn.CrossEntropyLoss()), train=split(ids, y, 16), dev=None)


def _filled(x: torch.Tensor) -> torch.Tensor:
    """A column in which every twelfth row is -999, standardised after that."""
    x = x.clone()
    x[::12, 3] = -999
    return torch.cat([x[:, :3], ((x[:, 3:4] + 80) / 260), x[:, 4:]], 1)


def _normalised(rows: int, batch: int, drop: bool = False, norm: nn.Module | None = None) -> Setup:
    x, y = pile(rows=rows)
    model = nn.Sequential(nn.Linear(10, 16), norm or nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4))
    return classifier(model, train=DataLoader(TensorDataset(x, y), batch, shuffle=True, drop_last=drop), dev=None)


class Draws(Dataset):
    """Rows with noise from a stream, which is the data set's own or torch's."""

    def __init__(self, stream: Any) -> None:
        self.x, self.y = pile()
        self.stream = stream

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> Any:
        noise = self.stream.normal() if hasattr(self.stream, "normal") else torch.randn((), generator=self.stream)
        return self.x[row] + 0.1 * float(noise), self.y[row]


def drawn(stream: Any, **options: Any) -> Setup:
    return classifier(train=DataLoader(Draws(stream), 32, shuffle=True, num_workers=2, **options), dev=None)


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "NaN in dev": ("SY101", lambda: classifier(dev=_with_nan())),
    "half precision overflows": ("SY101", lambda: in_classes(lambda x: (1e5 * x).half().float())),
    "divided by 255 twice": ("SY102", lambda: in_classes(lambda x: x / 255**2)),
    "pictures divided by 255 twice": ("SY102", lambda: pictures(smooth()[0].abs() / 255, smooth()[1])),
    "bytes that the model does not scale": (
        "SY102",
        lambda: pictures((120 + 100 * smooth()[0]).clamp(0, 255).byte(), smooth()[1], Net(lambda x: x.float())),
    ),
    "years beside standardised columns": (
        "SY102",
        lambda: in_classes(lambda x: torch.cat([x[:, :9], x[:, 9:] + 200], 1)),
    ),
    "tokens as amounts": ("SY102", lambda: in_classes(lambda x: (200 + 30 * x).round())),
    "normalised after dividing by 255 once too often": (
        "SY102",
        lambda: pictures((smooth()[0].abs() / 255 - 0.45) / 0.22, smooth()[1]),
    ),
    "values sorted": ("SY103", _sorted_values),
    "a class a batch, batches shuffled": ("SY103", lambda: classifier(train=_class_blocks(16), dev=None)),
    "a class a batch of four": ("SY103", lambda: classifier(train=_class_blocks(4), dev=None)),
    "more rows of one class than are looked at": (
        "SY103",
        lambda: classifier(train=DataLoader(sorted_set(), 16), dev=None),
    ),
    "codes that are all zero": (
        "SY104",
        lambda: classifier(
            nn.Sequential(nn.EmbeddingBag(5, 8), nn.Linear(8, 4)),
            train=[((x.sigmoid().long()), y) for x, y in blobs()],
            dev=None,
        ),
    ),
    "rows of one value": ("SY104", lambda: in_classes(lambda x: x.mean(1, keepdim=True).expand(-1, 10))),
    "the target one-hot among the inputs": (
        "SY105",
        lambda: classifier(
            mlp(13), train=[(torch.cat([x[:, :9], F.one_hot(y, 4).float()], 1), y) for x, y in blobs()], dev=None
        ),
    ),
    "the target as another input": ("SY105", lambda: with_extra(lambda x, y: (y.float() - 1.5) / 1.2)),
    "the target scaled": (
        "SY105",
        lambda: regressor(train=[(torch.cat([x[:, :5], 3 - 0.1 * y[:, None]], 1), y) for x, y in values()], dev=None),
    ),
    "a language model without a shift": ("SY105", lambda: next_token(False)),
    "values of 300 ± 2": ("SY106", lambda: in_values(lambda y: 300 + y)),
    "values of 30 ± 1": ("SY106", lambda: in_values(lambda y: 30 + y / 2)),
    "two values on other scales": (
        "SY106",
        lambda: regressor(
            mlp(6, 2), train=[(x, torch.stack([y, 1e-3 * y + 1e-3 * x[:, 2]], 1)) for x, y in values()], dev=None
        ),
    ),
    "__getitem__ forgets its index": ("SY107", lambda: classifier(train=DataLoader(Forgetful(True), 32), dev=None)),
    "one batch again and again": ("SY107", lambda: classifier(train=[blobs()[0]] * 8, dev=None)),
    "a third of the rows doubled": ("SY107", lambda: classifier(train=twice(0.5), dev=None)),
    "texts doubled": (
        "SY107",
        lambda: classifier(
            nn.Sequential(nn.EmbeddingBag(50, 8), nn.Linear(8, 2)),
            train=[b for b in split(tokens()[0], tokens()[1] % 2, 16) for _ in range(2)],
            dev=None,
        ),
    ),
    "doubles with other labels": ("SY108", lambda: classifier(train=twice(0.3, conflicting=True), dev=None)),
    "one input for all labels": ("SY108", lambda: classifier(train=DataLoader(Forgetful(False), 32), dev=None)),
    "a cast that leaves zeros": ("SY111", lambda: classifier(train=[(x, y // 10) for x, y in blobs()], dev=None)),
    "values that are filled": ("SY111", lambda: in_values(lambda y: y * 0 + 0.5)),
    "channels last": ("SY112", lambda: pictures(smooth()[0].permute(0, 2, 3, 1), smooth()[1], Net(channels=16))),
    "reshape for permute in the loader": ("SY112", lambda: pictures(_jumbled(smooth()[0]), smooth()[1])),
    "view for permute in the model": (
        "SY112",
        lambda: pictures(smooth()[0].permute(0, 2, 3, 1), smooth()[1], Net(lambda x: x.reshape(-1, 3, 16, 16))),
    ),
    "height for width": ("SY112", lambda: pictures(smooth(wide=24)[0].reshape(-1, 3, 24, 16), smooth()[1])),
    "convolutions over the numbers of a word": ("SY112", lambda: words(Cut(False))),
    "codes beyond the embedding": ("SY113", lambda: coded(20)),
    "codes of -1": ("SY113", lambda: coded(60, shift=-1)),
    "codes beyond in a model with its own loss": (
        "SY113",
        lambda: {
            "model": Tagger(),
            "train": [{"input_ids": torch.randint(40, (16, 7)), "labels": torch.randint(2, (16,))}],
        },
    ),
    "missing values of -999": ("SY115", lambda: in_classes(_filled)),
    "missing values of a thousand": ("SY115", lambda: in_classes(lambda x: torch.where(x.abs() < 0.02, 1e3, x) / 40)),
    "one row too many for BatchNorm": ("SY116", lambda: _normalised(1025, 16)),
    "batches of one row": ("SY116", lambda: _normalised(64, 1)),
    "a NumPy generator in every worker": ("SY117", lambda: drawn(np.random.default_rng(0))),
    "a torch generator in every worker": ("SY117", lambda: drawn(torch.Generator().manual_seed(0))),
    "tags of padding": ("SY114", lambda: tagged(nn.CrossEntropyLoss())),
    "a language model's labels with padding": ("SY114", lambda: written(lambda ids: ids.clone())),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    found = looked_at(setup())
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (grave, found.not_measured.get(code))


SOUND: dict[str, Callable[[], Setup]] = {
    "a mask of minus infinity": lambda: with_extra(lambda x, y: torch.where(x[:, 0] > 9, -torch.inf, 0.0)),
    "raw columns before a BatchNorm": lambda: in_classes(
        lambda x: 200 + 100 * x, nn.Sequential(nn.BatchNorm1d(10), nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
    ),
    "bytes that the model scales": lambda: pictures(
        (120 + 100 * smooth()[0]).clamp(0, 255).byte(), smooth()[1], Scales(Net(), 120.0, 100.0)
    ),
    "one-hot words": lambda: classifier(mlp(300, 3), train=one_hot(), dev=None),
    "one-hot words beside values": lambda: classifier(
        mlp(310, 3), train=[(torch.cat([x, torch.randn(len(x), 10)], 1), y) for x, y in one_hot()], dev=None
    ),
    "rows of length one": lambda: in_classes(lambda x: F.normalize(x, dim=1) / 1.0),
    "few rows a batch": lambda: classifier(train=split(*pile(), 3), dev=None),
    "some rows of some classes a batch": lambda: classifier(mlp(10, 8), train=_drawn_by_class(), dev=None),
    "a line in one column": _one_column_line,
    "a random walk": _walk,
    "the next token": lambda: next_token(True),
    "a text that is to be repeated": lambda: next_token(False, both=True),
    "a language model that shifts": lambda: written(lambda ids: torch.where(ids > 0, ids, -100)),
    "outputs brought to the size of targets": lambda: in_values(lambda y: 3e5 + 1e5 * y, Unscales(3e5, 1e5)),
    "small values in unit spread": lambda: in_values(lambda y: y / y.std()),
    "few values": lambda: classifier(mlp(3, 2), train=few_values(), dev=None),
    "a rare class drawn more often": lambda: classifier(mlp(10, 2), train=rare(True), dev=None),
    "rows of a rare class repeated": lambda: classifier(mlp(10, 2), train=_repeated_rare(), dev=None),
    "a rare class": lambda: classifier(mlp(10, 2), train=rare(False), dev=None),
    "a few doubles": lambda: classifier(train=twice(0.03), dev=None),
    "a loader without end": lambda: classifier(train=Endless(), dev=None),
    "pictures": lambda: pictures(*smooth()),
    "pictures of noise": lambda: pictures(torch.randn(48, 3, 16, 16), torch.arange(48) % 3),
    "wide pictures": lambda: pictures(*smooth(wide=24)),
    "channels last that the model turns": lambda: pictures(
        smooth()[0].permute(0, 2, 3, 1), smooth()[1], Net(lambda x: x.permute(0, 3, 1, 2))
    ),
    "convolutions over words": lambda: words(Cut(True)),
    "an embedding that fits": lambda: coded(50),
    "padding that is ignored": lambda: tagged(nn.CrossEntropyLoss(ignore_index=0)),
    "padding of -100": lambda: tagged(nn.CrossEntropyLoss(), lambda y: torch.where(y > 0, y, -100)),
    "padding that is masked": _masked,
    "states that end all rows": _change_points,
    "labels of many kinds": labels,
    "outliers": lambda: in_classes(lambda x: torch.where(x == x.max(), 6 * x, x)),
    "zeros where nothing was measured of a skewed column": lambda: in_classes(
        lambda x: x.exp().sub(0.3).relu().log1p()
    ),
    "one row too many, dropped": lambda: _normalised(1025, 16, drop=True),
    "one row too many for LayerNorm": lambda: _normalised(1025, 16, norm=nn.LayerNorm(16)),
    "workers that draw from torch": lambda: drawn(None),
    "workers with seeds of their own": lambda: drawn(np.random.default_rng(0), worker_init_fn=print),
    "sorted rows, shuffled by the loader": lambda: classifier(
        train=DataLoader(sorted_set(), 16, shuffle=True), dev=None
    ),
    "a part of a sorted set": lambda: classifier(
        train=DataLoader(Subset(sorted_set(), range(0, 4096, 7)), 16, shuffle=True), dev=None
    ),
    "inputs of one column of ones": lambda: in_classes(lambda x: torch.cat([x[:, :9], torch.ones(len(x), 1)], 1)),
}


class Endless:
    """Batches without end, small epochs again and again."""

    def __iter__(self) -> Any:
        while True:
            yield from blobs(128)


def _repeated_rare() -> DataLoader:
    x, y = pile(rows=512, classes=2)
    common, few = TensorDataset(x[y == 0], y[y == 0]), TensorDataset(x[y == 1][:30], y[y == 1][:30])
    random = torch.Generator().manual_seed(0)
    return DataLoader(ConcatDataset([common, *[few] * 8]), 32, shuffle=True, generator=random)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_that_looks_suspicious_has_no_finding(name: str) -> None:
    found = looked_at(SOUND[name]())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


def test_classes_of_very_different_size_are_a_tip_with_what_a_constant_answer_gets() -> None:
    found = looked_at(classifier(mlp(10, 2), train=rare(False), dev=None))
    tip = next(each for each in found.findings if each.code == "SY110")
    assert tip.severity == "tip" and "always saying 0" in tip.saw
    assert "SY110" not in looked_at(classifier(mlp(10, 2), train=rare(True), dev=None)).codes
    assert "SY110" not in looked_at(classifier(dev=None)).codes
