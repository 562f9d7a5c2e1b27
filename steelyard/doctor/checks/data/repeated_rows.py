"""Train rows that come again and again.

A `__getitem__` that forgets its index, one batch that is fetched before the loop, or a table that was joined twice
shows the model a few rows many times: it learns those by heart, and the loss looks wonderful. Rows of a rare class
that are drawn more often on purpose are no fault. How often rows of few values repeat by chance is reckoned with.

Broken: `def __getitem__(self, index): return self.x[0], self.y[0]`. Mended: `return self.x[index], self.y[index]`.
"""

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from steelyard.doctor.case import LOOKED_AT, Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import by_chance, codes, hashed, hashes, values, whole

FEW = 16  # rows; fewer say nothing of repeats
SHARE, LARGE = 0.1, 0.4  # of rows that repeat others: there are tables with a tenth, and few with more
UNIFORM, GROUPS = 0.98, 30  # of the rows that repeat, all as often; of a data set's own doubles some come thrice
BEYOND = 5.0  # times as many pairs as chance would give
UNLIKELY = 1e-6  # chance that a whole batch repeats


@check(
    "SY107",
    "Train rows repeat",
    "warning",
    means="the model sees few rows many times and learns them by heart",
    treat="look at __getitem__, at where the batch is fetched, and at joins that double rows; repeat none unawares",
)
def repeated_rows(case: Case) -> Saw | None:
    if case.rows < FEW:
        raise NotMeasured(f"fewer than {FEW} train rows were looked at")
    targets = values(case.batches)
    keys = hashes(case.batches)
    if targets is not None and len(targets) == len(keys):
        keys = keys * 5 + hashed(targets)
    distinct, inverse, counts = torch.unique(keys, return_inverse=True, return_counts=True)
    if len(distinct) == 1:
        return Saw(f"all {len(keys)} rows are one and the same", {"rows": len(keys), "distinct": 1}, "error")
    if (again := _same_batch(case, keys, counts)) is not None:
        return again
    if not _one_epoch(case):
        raise NotMeasured("the loader goes on without end, so that rows come again rightly")
    repeats = len(keys) - len(distinct)
    pairs = float((counts * (counts - 1)).sum()) / 2
    evidence = {"rows": len(keys), "distinct": len(distinct)}
    if repeats < SHARE * len(keys):
        return None
    if pairs < BEYOND * by_chance(case.batches) * len(keys) ** 2 / 2 + FEW / 2:
        raise NotMeasured("the inputs hold few values, so that rows are alike by chance")
    text = f"{repeats} of {len(keys)} train rows repeat others of the first {len(case.batches)} batches"
    wanted = _drawn_on_purpose(case) or _of_rare_classes(codes(case.batches), counts[inverse])
    many = counts[counts > 1]
    alike = len(many) >= GROUPS and float((many == many.mode().values).float().mean()) > UNIFORM
    return Saw(text, evidence, "tip" if wanted or (repeats < LARGE * len(keys) and not alike) else None)


def _same_batch(case: Case, keys: Tensor, counts: Tensor) -> Saw | None:
    """Batches that are all the first one."""
    parts = torch.split(keys, [batch.many for batch in case.batches])
    first = parts[0]
    if len(parts) < 2 or len(torch.unique(first)) < 2:
        return None
    if not all(torch.equal(each, first[: len(each)]) for each in parts[1:]):
        return None
    shares = torch.unique(first, return_counts=True)[1] / len(first)
    if float(shares.square().sum()) ** len(first) > UNLIKELY:
        return None
    return Saw(f"all {len(parts)} batches hold the same {len(first)} rows", {"batches": len(parts)}, "error")


def _one_epoch(case: Case) -> bool:
    if len(case.batches) < LOOKED_AT:
        return True
    try:
        return len(case.train) > 0  # type: ignore[arg-type]
    except TypeError:
        return False


def _drawn_on_purpose(case: Case) -> bool:
    """Whether a sampler of the user's, or one that puts back what it drew, chooses the rows."""
    return (
        isinstance(case.train, DataLoader) and hasattr(case.train.dataset, "__getitem__") and whole(case.train) is None
    )


def _of_rare_classes(labels: Tensor | None, times: Tensor) -> bool:
    """Whether rows of the class that has the most different rows do not repeat, as where rare ones are repeated."""
    if labels is None or len(labels) != len(times) or len(torch.unique(labels)) < 2:
        return False
    different = {int(code): float((1 / times[labels == code]).sum()) for code in torch.unique(labels)}
    common = labels == max(different, key=lambda code: different[code])
    return float((times[common] > 1).float().mean()) < SHARE / 2
