"""A dev loader that shuffles its rows, or drops some.

`drop_last` leaves rows of dev out, and with shuffling other ones each time: scores then wobble for no reason of the
model's, and figures of different runs are not of the same rows.

Broken: `DataLoader(dev, 64, shuffle=True, drop_last=True)`. Mended: `DataLoader(dev, 64)`.
"""

from typing import Any

from torch.utils.data import DataLoader, RandomSampler

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY610",
    "The dev loader shuffles or drops rows",
    "tip",
    means="scores are not always of the same rows, or not of all",
    treat="leave shuffle and drop_last off outside training",
)
def dev_loader(case: Case) -> Saw | None:
    loaders = {side: getattr(case, side) for side in ("dev", "test")}
    known = {side: each for side, each in loaders.items() if isinstance(each, DataLoader)}
    if not known:
        raise NotMeasured("no DataLoader for dev was given")
    for side, each in known.items():
        sampler: Any = each.sampler
        if isinstance(sampler, RandomSampler) and sampler.replacement:
            return Saw(f"{side} draws rows with replacement: some twice, some never", {"side": side}, "warning")
        lost = (
            len(sampler) % each.batch_size if each.drop_last and each.batch_size and hasattr(sampler, "__len__") else 0
        )
        if lost:
            return Saw(f"{side} drops {lost} of {len(sampler)} rows", {"side": side, "lost": lost})
        if isinstance(sampler, RandomSampler):
            return Saw(f"{side} shuffles its rows", {"side": side})
    return None
