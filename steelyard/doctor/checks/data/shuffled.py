"""Train rows that come in the order of their classes.

A batch of one class teaches to say that class; the next one unteaches it. Stochastic gradients are meant for rows in
random order (Bottou 2012, "Stochastic Gradient Descent Tricks", section 5.1).

Broken: `DataLoader(data, batch_size=32)`. Mended: `DataLoader(data, batch_size=32, shuffle=True)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

FEW = 0.5  # of the entropy of all labels, within batches: less is no accident in batches of eight or more


@check(
    "SY103",
    "Train rows are not shuffled",
    "warning",
    means="each batch holds few classes, so that steps undo one another",
    treat="shuffle the train rows anew for every epoch (shuffle=True)",
)
def shuffled(case: Case) -> Saw | None:
    targets = [batch.target for batch in case.batches]
    if len(targets) < 2:
        raise NotMeasured("there are fewer than two train batches")
    if not all(isinstance(t, torch.Tensor) and t.dim() == 1 and not t.is_floating_point() for t in targets):
        raise NotMeasured("targets are no class codes")
    if min(len(t) for t in targets[:-1]) < 8:
        raise NotMeasured("batches hold fewer than 8 rows")
    whole = _entropy(torch.cat(targets))
    if whole == 0:
        raise NotMeasured("the first batches hold one class only")
    within = sum(_entropy(t) for t in targets) / len(targets)
    if within >= FEW * whole:
        return None
    return Saw(
        f"labels within a batch vary {within / whole:.0%} as much as over batches", {"within": within, "over": whole}
    )


def _entropy(codes: torch.Tensor) -> float:
    shares = torch.bincount(codes.flatten()).float()
    shares = shares[shares > 0] / shares.sum()
    return float(-(shares * shares.log()).sum())
