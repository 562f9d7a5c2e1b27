"""Targets that hold one value only.

A column of labels that was filled, cut off by a cast or taken from the wrong place teaches one answer, which any
network gives at once: the loss goes to zero, and nothing was learnt.

Broken: `y = (score / 100).long()` on scores below 100. Mended: `y = (score > 50).long()`.
"""

from dataclasses import replace

import torch

from steelyard.doctor.batch import mapped, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import spread

FEW = 32  # rows


@check(
    "SY111",
    "Targets have one value only",
    "error",
    means="there is nothing to learn: the same answer is always right",
    treat="look at where targets are made: a cast, a threshold, a join or a column of another name",
)
def constant_targets(case: Case) -> Saw | None:
    batches = spread(case, "train")
    if not batches or any(batch.answer is None for batch in batches):
        raise NotMeasured("batches have no target")
    if sum(batch.many for batch in batches) < FEW:
        raise NotMeasured(f"fewer than {FEW} train rows were looked at")
    held = [[t for t in tensors(batch.answer) if t.numel()] for batch in batches]
    if not all(held):
        raise NotMeasured("targets are no tensors")
    first = held[0][0].reshape(-1)[0]
    for listed in held:
        for target in listed:
            if bool((target != first.to(target.dtype)).any()):
                return None
    if not _counts(case):
        raise NotMeasured("the loss does not look at the target")
    rows = sum(batch.many for batch in batches)
    return Saw(f"the targets of all {rows} rows are {float(first):g}", {"value": float(first), "rows": rows})


def _counts(case: Case) -> bool:
    """Whether another target changes the loss. Where the loss takes no other, it looks at it."""
    case.model.eval()
    batch = case.batches[0]
    with torch.no_grad():
        plain = float(case.loss_of(batch).float().mean())
        other = replace(batch, answer=_other(batch.answer))
        try:
            return float(case.loss_of(other).float().mean()) != plain
        except Exception:
            return True


def _other(answer: object) -> object:
    return mapped(answer, lambda t: ~t if t.dtype == torch.bool else torch.where(t == 0, t + 1, t - t))
