"""Dev rows, or their labels, that were prepared in another way than train's.

Columns in another order, a scaler fitted anew on dev, colours in the order of another library, mirrored pictures,
another tokenizer, labels coded by their order in dev: all of it runs, and dev then measures another problem than train
poses (Sculley et al. 2015, "Hidden Technical Debt in Machine Learning Systems", on pipelines that diverge).

Broken: `dev = scaler.fit_transform(dev)`. Mended: `dev = scaler.transform(dev)`.
"""

import torch
from torch import Tensor

from steelyard.doctor import unlike
from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.dev_labels import labels_otherwise
from steelyard.doctor.rows import codes, hashes, spread, stacked, values

PART = 0.3  # of the columns
CONTRAST = 1.7  # ratio of the spreads of a channel: pictures hold many pixels, and augmentation changes them by less
SKEWED = 0.7  # skewness of pixels, of opposite signs: dark on light against light on dark
SERIES = 0.9  # correlation of neighbouring columns: a series drifts from train to dev without anybody's fault
COLUMNS = 128
KNOWN, STRANGE = 0.9, 0.5  # cosine of the frequencies of codes between halves of train, and between train and dev


@check(
    "SY608",
    "Dev is prepared otherwise than train",
    "error",
    means="dev measures another problem than the one that train poses",
    treat="prepare all parts with one function, fitted on train: columns, scales, channels, tokens and label codes",
)
def prepared_otherwise(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    looked = False
    for side in ("dev", "test"):
        if getattr(case, side) is None:
            continue
        train, other = spread(case, "train"), spread(case, side)
        if not train or not other or min(sum(b.many for b in part) for part in (train, other)) < unlike.FEW:
            continue
        looked = True
        saw = _inputs(train, other, side) or labels_otherwise(train, other, side)
        if saw is not None:
            return saw
    if not looked:
        raise NotMeasured(f"train and dev batches with {unlike.FEW} rows are needed")
    return None


def _inputs(train: list[Batch], dev: list[Batch], side: str) -> Saw | None:
    """What differs in the inputs."""
    here, there = stacked(train), stacked(dev)
    groups = _groups(train, dev)
    for name in here:
        if name not in there or here[name].shape[1:] != there[name].shape[1:]:
            continue
        x, z = here[name], there[name]
        if not x.is_floating_point():
            saw = _tokens(x, z)
        elif not bool(torch.isfinite(x).all() & torch.isfinite(z).all()) or len(x) != len(groups[0]):
            continue
        elif x.dim() == 4:
            saw = _pictures(x.float(), z.float(), groups)
        else:
            same = len(x) == len(z) and bool((hashes(train).sort()[0] == hashes(dev).sort()[0]).all())
            saw = None if same else _columns(x.float(), z.float(), groups)
        if saw is not None:
            return Saw(f"{name} of {side}: {saw.text}", {"side": side, "input": name} | saw.evidence, saw.severity)
    return None


def _groups(train: list[Batch], dev: list[Batch]) -> tuple[Tensor, Tensor]:
    """Rows in groups, on both sides the same: by class, or by whether their value is above the middle."""
    one, two = codes(train), codes(dev)
    if one is not None and two is not None and 2 <= len(names := torch.unique(torch.cat([one, two]))) <= 12:
        return torch.searchsorted(names, one), torch.searchsorted(names, two)
    y, z = values(train), values(dev)
    if y is not None and z is not None and y.shape[1] == z.shape[1]:
        middle = y[:, 0].median()
        return (y[:, 0] > middle).long(), (z[:, 0] > middle).long()
    return tuple(torch.zeros(sum(b.many for b in part), dtype=torch.long) for part in (train, dev))  # type: ignore[return-value]


def _columns(x: Tensor, z: Tensor, groups: tuple[Tensor, Tensor]) -> Saw | None:
    """Of tables and series."""
    series = x.dim() > 2
    x, z = x.reshape(len(x), -1), z.reshape(len(z), -1)
    step = -(-x.shape[1] // COLUMNS)
    x, z = x[:, ::step], z[:, ::step]
    if x.shape[1] >= 2:
        many = 1 + int(max(each.max() for each in groups))
        order = unlike.reordered(*(unlike.signs(side, g, many) for side, g in zip((x, z), groups, strict=True)))
        if order is not None:
            there, here = (step * place for place in next(iter(order.items())))
            text = f"{len(order)} columns stand elsewhere than in train, as column {here} of train at {there}"
            return Saw(text, {"columns": len(order)})
    if unlike.standardised_alone(x, z):
        return Saw("every column has mean 0 and spread 1 exactly, as after fitting a scaler on it alone", {}, "warning")
    x, z = _alike(x, z, groups)
    moving = (x.std(0) > 0) | (z.std(0) > 0)
    if min(len(x), len(z)) < unlike.FEW or not bool(moving.any()):
        return None
    bad = unlike.shifted(x[:, moving], z[:, moving])
    share = float(bad.float().mean())
    if share < PART:
        return None
    drifts = series or _neighbours(x[:, moving]) > SERIES
    text = f"{share:.0%} of {len(bad)} columns have another mean or spread than in train"
    return Saw(text, {"share": share}, "tip" if drifts else "warning")


def _alike(x: Tensor, z: Tensor, groups: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Rows of one group where the groups are not of the same share on both sides."""
    many = int(max(groups[0].max(), groups[1].max())) + 1
    shares = [torch.bincount(g, minlength=many) / len(g) for g in groups]
    if float((shares[0] - shares[1]).abs().sum()) < 0.2:
        return x, z
    most = int(torch.minimum(*shares).argmax())
    return x[groups[0] == most], z[groups[1] == most]


def _neighbours(x: Tensor) -> float:
    """The median correlation of columns with the next one."""
    if x.shape[1] < 4:
        return 0.0
    y = (x - x.mean(0)) / x.std(0).clamp(min=1e-12)
    return float((y[:, 1:] * y[:, :-1]).mean(0).median())


def _pictures(x: Tensor, z: Tensor, groups: tuple[Tensor, Tensor]) -> Saw | None:
    """Of pictures (rows, channels, height, width), or with channels last."""
    if x.shape[-1] <= 4 < x.shape[1]:
        x, z = x.permute(0, 3, 1, 2), z.permute(0, 3, 1, 2)
    if x.shape[1] > 16:
        return None
    many = 1 + int(max(each.max() for each in groups))
    if 2 <= x.shape[1] <= 4:
        order = unlike.reordered(*(_of_channels(side, g, many) for side, g in zip((x, z), groups, strict=True)))
        if order is not None:
            listed = [order.get(place, place) for place in range(x.shape[1])]
            return Saw(f"channels are like those of train in the order {listed}, as RGB against BGR", {"order": listed})
    if x.shape[2] == x.shape[3] and (way := unlike.turned(x, z, groups)) is not None:
        return Saw(f"pictures are {way}, against those of train", {"way": way})
    one, two = (_skewness(side) for side in (x, z))
    if one * two < 0 and min(abs(one), abs(two)) > SKEWED:
        return Saw("pictures are inverted: light is dark, against those of train", {"train": one, "dev": two})
    x, z = _alike(x, z, groups)
    if min(len(x), len(z)) < unlike.FEW:
        return None
    bad = [c for c in range(x.shape[1]) if _channel(x[:, c], z[:, c])]
    if len(bad) < PART * x.shape[1]:
        return None
    c = bad[0]
    text = f"channel {c} is {_told(z[:, c])}, in train {_told(x[:, c])}"
    return Saw(text, {"channels": bad}, "warning")


def _of_channels(x: Tensor, groups: Tensor, many: int) -> Tensor:
    """What tells channels from one another, (rows, channels, signs)."""
    plain = torch.stack([x.mean((2, 3)), x.std((2, 3))], 2)
    tiles = torch.nn.functional.adaptive_avg_pool2d(x, 3).flatten(2)
    return torch.cat([plain, tiles, unlike.signs(x.mean((2, 3)), groups, many)[:, :, 2:]], 2)


def _channel(x: Tensor, z: Tensor) -> bool:
    """Whether a channel has another brightness or contrast, beyond what pictures differ by."""
    x, z = x.flatten(1), z.flatten(1)
    spread, other = float(x.std()), float(z.std())
    if spread == 0 or other == 0:
        return False
    error = (float(x.mean(1).var()) / len(x) + float(z.mean(1).var()) / len(z)) ** 0.5
    apart = abs(float(x.mean() - z.mean()))
    brighter = apart > unlike.AWAY * max(spread, other) and apart > unlike.CERTAIN * error
    return brighter or not 1 / CONTRAST <= other / spread <= CONTRAST


def _skewness(x: Tensor) -> float:
    centred = x - x.mean()
    return float((centred**3).mean() / centred.square().mean().clamp(min=1e-12) ** 1.5)


def _told(x: Tensor) -> str:
    return f"{float(x.mean()):.3g} ± {float(x.std()):.2g}"


def _tokens(x: Tensor, z: Tensor) -> Saw | None:
    """Of codes of words: how often each is used."""
    if x.dim() != 2 or x.shape[1] < 4 or int(min(x.min(), z.min())) < 0 or int(max(x.max(), z.max())) > 10**6:
        return None
    size = int(max(x.max(), z.max())) + 1
    ends = torch.mode(x[:, -1]).values
    halves = [torch.bincount(rows[rows != ends].flatten(), minlength=size).double() for rows in (x[::2], x[1::2], z)]
    common = (halves[0] > 0) & (halves[1] > 0)  # a code for unknown words may well stand in dev alone
    halves = [each[common] for each in halves]
    if not len(halves[0]) or not float(halves[2].sum()):
        return None
    known = float(torch.nn.functional.cosine_similarity(halves[0], halves[1], 0))
    there = float(torch.nn.functional.cosine_similarity(halves[0] + halves[1], halves[2], 0))
    if known < KNOWN or there > STRANGE:
        return None
    return Saw(
        f"codes are used otherwise than in train (cosine {there:.2f}; halves of train {known:.2f})", {"cosine": there}
    )
