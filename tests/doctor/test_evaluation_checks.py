"""Checks of evaluation name planted faults in several styles, and are silent on sound programs that look suspicious."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import Setup, Squeezed, Tagger, blobs, classifier, mlp, regressor, values
from test_data_checks import Net, Scales, pile, smooth, split
from torch import nn
from torch.nn import functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset, random_split

from steelyard.doctor import examine
from steelyard.doctor.finding import Examination

OTHERS = ("SY1", "SY2", "SY3", "SY4", "SY5")
Change = Callable[[torch.Tensor], torch.Tensor]


def looked_at(setup: Setup) -> Examination:
    return examine(**setup, ignore=OTHERS)


def dev_with(x: Change = lambda x: x, y: Change = lambda y: y, rows: int = 256) -> Setup:
    """Classes, the inputs or labels of dev changed."""
    return classifier(train=blobs(512), dev=[(x(a), y(b)) for a, b in blobs(rows, seed=1)])


def values_with(x: Change = lambda x: x, y: Change = lambda y: y) -> Setup:
    return regressor(dev=[(x(a), y(b)) for a, b in values(seed=1)])


def pictures(change: Change = lambda x: x, dev: Change | None = None) -> Setup:
    """Pictures with channels of their own brightness and a brighter upper left, dev changed."""

    def made(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = smooth(256, seed=seed)
        light = torch.linspace(1, 0, 16)[:, None] * torch.linspace(1, 0.4, 16)[None]
        return 0.4 * x + torch.tensor([0.6, 0.2, -0.1])[:, None, None] + light, y

    train, (x, y) = made(0), made(1)
    train = change(train[0]), train[1]
    return classifier(Net(), train=split(*train), dev=split((dev or change)(x), y))


class Texts(Dataset):
    """Rows of tokens, told by how often they use the first or the second half of the words."""

    def __init__(self, rows: int = 256, seed: int = 0, code: Change = lambda ids: ids) -> None:
        random = torch.Generator().manual_seed(seed)
        self.y = torch.randint(2, (rows,), generator=random)
        share = torch.arange(1, 101).float().reciprocal()
        halves = torch.stack(
            [torch.cat([share[:50], 0.1 * share[50:]]), torch.cat([0.05 * share[:50], 5 * share[50:]])]
        )
        self.ids = code(torch.multinomial(halves[self.y], 12, replacement=True, generator=random))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids[row], "labels": self.y[row]}


class Reads(Tagger):
    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.embed = nn.Embedding(100, 8)


def texts(dev: Dataset, train: Dataset | None = None) -> Setup:
    model = Reads()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    loader = DataLoader(train or Texts(), 32, shuffle=True)
    return {"model": model, "train": loader, "dev": DataLoader(dev, 32), "optimizer": optimizer}


class Augmented(Dataset):
    """Rows with noise of torch's stream where `noise` is on."""

    def __init__(self, noise: bool, seed: int = 0) -> None:
        self.x, self.y = pile(seed)
        self.noise = noise

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.x[row] + 0.1 * self.noise * torch.randn(10), self.y[row]


class Streamed(IterableDataset):
    def __init__(self, noise: bool) -> None:
        self.rows = Augmented(noise, seed=1)

    def __iter__(self) -> Any:
        return (self.rows[row] for row in range(len(self.rows)))


def augmented(dev: Any, shuffle: bool = False) -> Setup:
    train = DataLoader(Augmented(True), 32, shuffle=True)
    return classifier(train=train, dev=DataLoader(dev, 32, shuffle=shuffle))


def loaders(train: Any, dev: Any, model: nn.Module | None = None, **more: Any) -> Setup:
    return classifier(model, train=DataLoader(train, 32, shuffle=True), dev=DataLoader(dev, 32), **more)


def _parts(first: int = 410) -> list[Any]:
    return random_split(TensorDataset(*pile(rows=512)), [first, 512 - first], torch.Generator().manual_seed(0))


def _split_after_doubling() -> Setup:
    x, y = pile(rows=512)
    data = TensorDataset(torch.cat([x, x]), torch.cat([y, y]))
    return loaders(*random_split(data, [824, 200], torch.Generator().manual_seed(0)))


def _one_place_too_many() -> Setup:
    data = TensorDataset(*pile(rows=512))
    return loaders(Subset(data, range(0, 400)), Subset(data, range(380, 512)))


def _test_in_train() -> Setup:
    train, dev = _parts()
    x, y = (torch.stack(each) for each in zip(*(train[row] for row in range(64)), strict=True))
    return loaders(train, dev, test=split(x, y))


def _far_rows() -> Setup:
    """Dev rows that stand in train beyond its first batches."""
    x, y = pile(rows=4000)
    dev = TensorDataset(x[3000:3100].clone(), y[3000:3100])
    return classifier(train=DataLoader(TensorDataset(x, y), 16), dev=DataLoader(dev, 16))


def series(random: bool, lags: int = 12) -> Setup:
    """Windows of a noisy wave, split at random or by time."""
    stream = torch.Generator().manual_seed(0)
    line = torch.sin(torch.arange(600) / 9) + 0.3 * torch.randn(600, generator=stream)
    windows = line.unfold(0, lags + 1, 1)
    data = TensorDataset(windows[:, :-1, None], windows[:, -1])
    if random:
        train, dev = random_split(data, [470, len(data) - 470], torch.Generator().manual_seed(0))
    else:
        train, dev = Subset(data, range(470)), Subset(data, range(470, len(data)))
    model = nn.Sequential(nn.Flatten(), nn.Linear(lags, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    more = {"train": DataLoader(train, 32, shuffle=True), "dev": DataLoader(dev, 32)}
    return {"model": model, "loss": nn.MSELoss(), "optimizer": optimizer} | more


def _sorted_split(at: float) -> Setup:
    x, y = pile(rows=512)
    order = y.argsort()
    x, y, cut = x[order], y[order], int(at * 512)
    return loaders(TensorDataset(x[:cut], y[:cut]), TensorDataset(x[cut:], y[cut:]))


def _few_values(rows: int = 512) -> Setup:
    """A table of four columns of three values: rows of dev are in train rightly."""
    random = torch.Generator().manual_seed(0)
    x = torch.randint(3, (rows, 4), generator=random).float() - 1
    y = (torch.rand(rows, generator=random) < 0.5 + 0.2 * x[:, 0]).long()
    return loaders(TensorDataset(x[:400], y[:400]), TensorDataset(x[400:], y[400:]), mlp(4, 2))


def _balanced_train() -> Setup:
    """As many rows of a rare class as of the common one in train; dev as the world is."""
    x, y = pile(rows=1024, classes=2)
    rare = (y == 0) | (torch.arange(1024) % 8 == 0)
    return loaders(TensorDataset(x[:700], y[:700]), TensorDataset(x[700:][rare[700:]], y[700:][rare[700:]]), mlp(10, 2))


def standardised(alone: bool) -> Setup:
    x, y = pile(rows=512)
    x = 3 * x + 1
    scale = x[:400].mean(0), x[:400].std(0)
    own = (x[400:].mean(0), x[400:].std(0)) if alone else scale
    return loaders(
        TensorDataset((x[:400] - scale[0]) / scale[1], y[:400]), TensorDataset((x[400:] - own[0]) / own[1], y[400:])
    )


class Drawing(nn.Module):
    """A variational autoencoder, which draws what it makes of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.down, self.up = nn.Linear(10, 6), nn.Linear(3, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean, spread = self.down(x).chunk(2, 1)
        return self.up(mean + torch.randn_like(mean) * (spread / 2).exp())


def _autoencoder() -> Setup:
    model = Drawing()
    batches = [(x, x) for x, _ in blobs()]
    return classifier(model, loss=nn.MSELoss(), train=batches, dev=[(x, x) for x, _ in blobs(128, seed=1)])


class Noisy(nn.Module):
    """Token embeddings with noise, in every mode."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(100, 8), nn.Linear(8, 2)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        x = self.embed(input_ids)
        logits = self.head((x + 0.01 * torch.randn_like(x)).mean(1))
        return {"logits": logits} | ({} if labels is None else {"loss": F.cross_entropy(logits, labels)})


def _noisy() -> Setup:
    setup = texts(Texts(seed=1))
    model = Noisy()
    return setup | {"model": model, "optimizer": torch.optim.Adam(model.parameters())}


def _relabelled(y: torch.Tensor) -> torch.Tensor:
    return torch.tensor([1, 3, 0, 2])[y]


def _mislabelled_texts() -> Texts:
    dev = Texts(seed=1)
    dev.y = 1 - dev.y
    return dev


def _shuffled(y: torch.Tensor) -> torch.Tensor:
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "noise on embedded tokens": ("SY601", _noisy),
    "dropout of a function, whatever the mode": (
        "SY601",
        lambda: regressor(Squeezed(mlp(6, 1), lambda out: F.dropout(out, 0.2).squeeze(1))),
    ),
    "targets of dev on another scale": ("SY602", lambda: values_with(y=lambda y: 100 * y + 500)),
    "test on another scale": ("SY602", lambda: classifier(test=[(255 * x, y) for x, y in blobs(seed=2)])),
    "bytes in dev": ("SY602", lambda: pictures(dev=lambda x: 255 * x)),
    "split after doubling": ("SY603", _split_after_doubling),
    "slices that overlap": ("SY603", _one_place_too_many),
    "test rows of train": ("SY603", _test_in_train),
    "rows of dev far behind in train": ("SY603", _far_rows),
    "texts of train in dev": ("SY603", lambda: texts(Texts(64), Texts())),
    "augmentation of the data set that was split": (
        "SY605",
        lambda: loaders(*random_split(Augmented(True), [200, 56], torch.Generator().manual_seed(0))),
    ),
    "augmentation in a shuffled dev": ("SY605", lambda: augmented(Augmented(True, seed=1), shuffle=True)),
    "augmentation in a stream": ("SY605", lambda: augmented(Streamed(True))),
    "sorted rows cut in two": ("SY606", lambda: _sorted_split(0.8)),
    "sorted texts": ("SY606", lambda: texts(_of_one_class(), Texts())),
    "columns in another order": ("SY608", lambda: dev_with(lambda x: x[:, [3, 0, 1, 2, 4, 5, 6, 7, 9, 8]])),
    "columns of values in another order": ("SY608", lambda: values_with(lambda x: x.flip(1))),
    "standardised with other numbers": ("SY608", lambda: dev_with(lambda x: (x - 1.5) / 1.2)),
    "a scaler fitted on dev": ("SY608", lambda: standardised(alone=True)),
    "labels coded by another table": ("SY608", lambda: dev_with(y=_relabelled)),
    "two labels swapped": ("SY608", lambda: dev_with(y=lambda y: torch.tensor([0, 2, 1, 3])[y])),
    "labels of dev shuffled": ("SY608", lambda: dev_with(y=_shuffled)),
    "values of dev with another sign": ("SY608", lambda: values_with(y=lambda y: -y)),
    "labels of texts the other way round": ("SY608", lambda: texts(_mislabelled_texts())),
    "BGR": ("SY608", lambda: pictures(dev=lambda x: x.flip(1))),
    "transposed pictures": ("SY608", lambda: pictures(dev=lambda x: x.transpose(2, 3))),
    "mirrored pictures": ("SY608", lambda: pictures(dev=lambda x: x.flip(3))),
    "channels scaled with other numbers": ("SY608", lambda: pictures(dev=lambda x: x / 2 - 0.1)),
    "another tokenizer": ("SY608", lambda: texts(Texts(seed=1, code=lambda ids: (ids * 37 + 11) % 100))),
    "windows split at random": ("SY611", lambda: series(random=True)),
}


def _of_one_class() -> Subset:
    dev = Texts(seed=1)
    return Subset(dev, (dev.y == 1).nonzero()[:, 0].tolist())


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    found = looked_at(setup())
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (grave, found.not_measured.get(code))


SOUND: dict[str, Callable[[], Setup]] = {
    "classes": dev_with,
    "values": values_with,
    "pictures": pictures,
    "texts": lambda: texts(Texts(seed=1)),
    "a split at random": lambda: loaders(*_parts()),
    "a small dev": lambda: dev_with(rows=64),
    "augmentation for train alone": lambda: augmented(Augmented(False, seed=1)),
    "a dev that is shuffled": lambda: augmented(Augmented(False, seed=1), shuffle=True),
    "a stream": lambda: augmented(Streamed(False)),
    "train pictures mirrored at random": lambda: pictures(
        lambda x: torch.where(
            torch.rand(len(x), 1, 1, 1, generator=torch.Generator().manual_seed(0)) > 0.5, x.flip(3), x
        ),
        lambda x: x,
    ),
    "train pictures with noise": lambda: pictures(lambda x: x + 0.1 * torch.randn(x.shape), lambda x: x),
    "few values": _few_values,
    "a train set that was balanced": _balanced_train,
    "standardised with the numbers of train": lambda: standardised(alone=False),
    "a series split by time": lambda: series(random=False),
    "an autoencoder that draws": _autoencoder,
    "rows of a rare class repeated within train": lambda: _oversampled_train(),
    "a model that scales": lambda: classifier(
        Scales(mlp(), 0.0, 5.0), train=[(5 * x, y) for x, y in blobs(512)], dev=[(5 * x, y) for x, y in blobs(seed=1)]
    ),
    "labels that inputs say little of": lambda: classifier(
        mlp(10, 2),
        train=[(x, torch.randint(2, y.shape)) for x, y in blobs(512)],
        dev=[(x, torch.randint(2, y.shape)) for x, y in blobs(seed=1)],
    ),
}


def _oversampled_train() -> Setup:
    train, dev = _parts()
    rare = Subset(train, [row for row in range(len(train)) if int(train[row][1]) == 0])
    return loaders(ConcatDataset([train, rare, rare]), dev)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_that_looks_suspicious_has_no_finding(name: str) -> None:
    torch.manual_seed(3)
    found = looked_at(SOUND[name]())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


@pytest.mark.parametrize("seed", range(8))
def test_chance_alone_accuses_nobody(seed: int) -> None:
    """Other draws of the same sound programs, small ones too."""
    for rows in (64, 400):
        found = looked_at(classifier(train=blobs(2 * rows, seed=seed), dev=blobs(rows, seed=seed + 100)))
        assert found.healthy, [(each.code, each.saw) for each in found.findings]
        found = looked_at(regressor(train=values(2 * rows, seed=seed), dev=values(rows, seed=seed + 100)))
        assert found.healthy, [(each.code, each.saw) for each in found.findings]


def test_shuffling_and_dropping_rows_of_dev_are_tips() -> None:
    data = TensorDataset(*pile(rows=100))
    for options in ({"shuffle": True}, {"drop_last": True}):
        found = looked_at(classifier(dev=DataLoader(data, 32, **options)))
        assert [(each.code, each.severity) for each in found.findings] == [("SY610", "tip")]
    assert "SY610" in looked_at(classifier(dev=DataLoader(data, 25, drop_last=True))).passed
