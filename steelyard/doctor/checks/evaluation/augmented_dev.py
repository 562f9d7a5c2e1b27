"""Dev rows that differ each time they are read.

Random crops, flips, noise or masks belong to training. Left on for dev, they make every score a draw of a lottery, and
a worse one than the model deserves. A loader that shuffles is another matter: rows are compared by their index.

Broken: `random_split(ImageFolder(path, augment), …)`. Mended: two data sets, the one for dev without `augment`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.finding import Severity
from steelyard.doctor.rows import named, read_rows, whole

READ = 4  # rows, each of them twice
SIDES = ("dev", "test")
FEW = 8  # labels in the same order, from which two readings are of the same rows


@check(
    "SY605",
    "Augmentation is on at evaluation",
    "warning",
    means="scores of dev are random, and worse than the model deserves",
    treat="give dev a data set of its own, with the transforms that do not draw",
)
def augmented_dev(case: Case) -> Saw | None:
    looked = False
    for side in SIDES:
        source = getattr(case, side)
        if source is None:
            continue
        pair = _twice(case, side, source)
        if pair is None:
            continue
        looked = True
        one, two = (named(batch) for batch in pair)
        for name in one:
            if name in two and (many := _differing(one[name], two[name])):
                grave: Severity | None = "tip" if _made_up(pair[0]) else None
                text = f"{many} of {len(one[name])} rows of {side} differ when they are read again ({name})"
                return Saw(text, {"side": side, "rows": many, "input": name}, grave)
    if not looked:
        raise NotMeasured("no rows of dev could be read twice in the same order")
    return None


def _twice(case: Case, side: str, source: Any) -> tuple[Batch, Batch] | None:
    """The same rows, read twice; None where it is not known which are the same."""
    if isinstance(source, DataLoader) and (drawn := whole(source)) is not None:
        places = list(drawn[1][:READ])
        return read_rows(case, side, places), read_rows(case, side, places)
    if isinstance(source, list | tuple):
        return None  # nothing is read: the rows lie there
    raw = [next(iter(source() if callable(source) else source)) for _ in range(2)]
    one, two = (case.read(each) for each in raw)
    first, second = (next(iter(tensors(each.answer)), None) for each in (one, two))
    if first is None or second is None or first.shape != second.shape or not bool((first == second).all()):
        return None
    return (one, two) if len(first) >= FEW and len(torch.unique(first)) > 1 else None


def _differing(one: Tensor, two: Tensor) -> int:
    """The number of rows that are not the same."""
    if one.shape != two.shape:
        return len(one)
    apart = (one != two) & ~((one != one) & (two != two))
    return int(apart.reshape(len(one), -1).any(1).sum())


def _made_up(batch: Batch) -> bool:
    """Whether the task is to restore what was blurred or masked: drawing is part of it then."""
    targets = tensors(batch.answer)
    dense = any(t.shape == x.shape and t.dim() > 1 for t in targets for x in batch.given)
    return dense or any(bool((t == -100).any()) for t in targets if not t.is_floating_point())
