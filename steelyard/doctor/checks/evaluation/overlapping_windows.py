"""Windows of a series that overlap between train and dev.

Windows that start one step apart are nearly the same row. Split at random, nearly every window of dev has its
neighbours in train: the answer of one is among the inputs of the next, and dev measures how well train was learnt by
heart (Hyndman and Athanasopoulos 2021, "Forecasting: Principles and Practice", section 5.8, on splitting by time).

Broken: `random_split(windows, [0.8, 0.2])`. Mended: windows before a day to train, those that begin after it to dev.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import by_chance, hashed, spread, stacked

PLACES = 8  # of a window, at the least; short texts that are filled up are alike by chance
LAGS = 4  # steps between the beginnings of windows that are looked for
SHARE, FEW = 0.1, 5  # of the rows of dev, and of them: some at the border of a split by time are no harm
BEYOND = 5.0  # times as many as chance would give


@check(
    "SY611",
    "Windows of dev overlap those of train",
    "error",
    means="dev measures what was learnt by heart of the same stretch: its score is too good",
    treat="split the series by time (or by person or machine) first, then cut windows from each part",
)
def overlapping_windows(case: Case) -> Saw | None:
    sides = [side for side in ("dev", "test") if getattr(case, side) is not None]
    if not case.batches or not sides:
        raise NotMeasured("train and dev batches are needed")
    train = spread(case, "train")
    here = {n: x for n, x in stacked(train).items() if x.dim() in (2, 3) and x.shape[1] >= PLACES}
    if not here:
        raise NotMeasured("no input is a sequence")
    for side in sides:
        there = stacked(spread(case, side))
        for name, x in here.items():
            if name not in there or there[name].shape[1:] != x.shape[1:]:
                continue
            shared = _overlapping(x, there[name])
            alike = min(1.0, by_chance(train) * len(x)) * len(there[name])
            if shared <= max(SHARE * len(there[name]), FEW, BEYOND * alike):
                continue
            text = f"{shared} of {len(there[name])} rows of {side} are a row of train, moved by up to {LAGS} places"
            tokens = not here[name].is_floating_point()  # words follow one another in few ways
            return Saw(text, {"side": side, "input": name, "shared": shared}, "tip" if tokens else None)
    return None


def _overlapping(x: Tensor, z: Tensor) -> int:
    """Rows of z whose end is the beginning of a row of x, or the other way round."""
    found = torch.zeros(len(z), dtype=torch.bool)
    for lag in range(1, LAGS + 1):
        for mine, theirs in ((z[:, lag:], x[:, :-lag]), (z[:, :-lag], x[:, lag:])):
            found |= torch.isin(hashed(mine), hashed(theirs))
    flat = z[:, LAGS:].reshape(len(z), -1)
    ordered = flat.sort(1).values
    kinds = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(1)
    return int((found & (kinds >= min(PLACES, flat.shape[1]) - 2)).sum())
