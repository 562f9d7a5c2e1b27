"""Classes of dev that are not those of train.

Rows that were sorted by class and cut in two leave classes to one side only: those of dev were never learnt, and those
that dev lacks are not measured. Differences of shares are told only beyond sampling error.

Broken: `x[:800], x[800:]` of sorted rows. Mended: `train_test_split(x, y, stratify=y)`.
"""

import math

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import codes, spread

ROWS = 20  # of each side
UNLIKELY = 1e-5  # chance that a class is missed though it is there
LARGE = 0.3  # of the rows would have to change class
CERTAIN = 30.0  # of the statistic of chi-square above its degrees of freedom, in its spreads of sqrt(2 df), squared
CLASSES = 200


@check(
    "SY606",
    "Classes of dev differ from train's",
    "warning",
    means="dev asks for classes that were not learnt, or does not measure some that were",
    treat="shuffle before splitting, or split in each class (stratify)",
)
def other_classes(case: Case) -> Saw | None:
    if not case.batches or not (case.dev_batches or case.test_batches):
        raise NotMeasured("train and dev batches are needed")
    train = codes(spread(case, "train"))
    for side, batches in (("dev", case.dev_batches), ("test", case.test_batches)):
        dev = codes(spread(case, side)) if batches else None
        if not batches:
            continue
        if train is None or dev is None or min(len(train), len(dev)) < ROWS:
            raise NotMeasured(f"there are no {ROWS} class codes on both sides")
        if (saw := _compared(train, dev, side, _ordered(case))) is not None:
            return saw
    return None


def _ordered(case: Case) -> bool:
    """Whether only the first batches of train are known, which may be of few classes."""
    return spread(case, "train") is case.batches and len(case.batches) >= 32


def _compared(train: Tensor, dev: Tensor, side: str, part: bool) -> Saw | None:
    names = torch.unique(torch.cat([train, dev]))
    if len(names) < 2 or len(names) > CLASSES:
        return None
    here, there = (torch.stack([(each == name).sum() for name in names]).float() for each in (train, dev))
    strange = [int(n) for n, a, b in zip(names, here, there, strict=True) if a == 0 and _missed(b, dev, train)]
    if strange and not part:
        count = int(torch.isin(dev, torch.tensor(strange)).sum())
        text = f"{count} of {len(dev)} {side} rows are of classes that train lacks: {_listed(strange)}"
        return Saw(text, {"side": side, "lacking in train": strange}, "error")
    absent = [int(n) for n, a, b in zip(names, here, there, strict=True) if b == 0 and _missed(a, train, dev)]
    if absent and not part:
        text = f"{side} has no row of {_listed(absent)}, of which train has {_shares(here, train, names, absent)}"
        return Saw(text, {"side": side, "lacking": absent})
    apart = float((here / len(train) - there / len(dev)).abs().sum()) / 2
    expected = (here + there)[None] * torch.tensor([len(train), len(dev)])[:, None] / (len(train) + len(dev))
    chi = float(((torch.stack([here, there]) - expected) ** 2 / expected).sum())
    free = len(names) - 1
    if apart < LARGE or chi < free + CERTAIN + 6 * math.sqrt(2 * free):
        return None
    return Saw(f"class shares of train and {side} differ by {apart:.0%} of the rows", {"apart": apart}, "tip")


def _missed(count: Tensor, holding: Tensor, lacking: Tensor) -> bool:
    """Whether a class of that count in one side would hardly be missed by chance in the other."""
    share = max(float(count) - 2 * math.sqrt(float(count)), 0.0) / len(holding)
    return (1 - share) ** len(lacking) < UNLIKELY


def _listed(names: list[int]) -> str:
    return ", ".join(map(str, names[:8])) + (" …" if len(names) > 8 else "")


def _shares(counts: Tensor, rows: Tensor, names: Tensor, absent: list[int]) -> str:
    return f"{float(counts[torch.isin(names, torch.tensor(absent))].sum()) / len(rows):.0%}"
