"""Gradients that are not numbers.

A logarithm or root of zero, a division by zero, or an overflow makes the gradient NaN while the loss may still look
well.

Broken: `torch.sqrt(x.sum(1))`. Mended: `torch.sqrt(x.sum(1) + 1e-8)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY401",
    "Loss or gradients are not finite",
    "error",
    means="one step makes every weight NaN",
    treat="look for log, sqrt, division or exp of what may be zero or large; torch.autograd.detect_anomaly names it",
)
def finite_gradients(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    twin = case.copy()
    twin.model.train()
    for number, batch in enumerate(case.batches[:3]):
        twin.model.zero_grad()
        loss = twin.loss_of(batch).mean()
        if not bool(torch.isfinite(loss)):
            return Saw(f"the loss of batch {number + 1} is {float(loss)}", {"batch": number})
        if not loss.requires_grad:
            raise NotMeasured("the loss has no graph")
        loss.backward()  # type: ignore[no-untyped-call]
        for name, p in twin.model.named_parameters():
            if p.grad is not None and not bool(torch.isfinite(p.grad).all()):
                return Saw(f"the gradient of {name} is not finite", {"parameter": name})
    return None
