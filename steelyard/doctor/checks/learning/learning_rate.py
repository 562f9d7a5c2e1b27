"""A learning rate that makes the loss rise.

The optimizer's own rate is tried on a copy: some steps on the first batches, over and over. If the loss ends far
above where it began, steps are too long.

Broken: `SGD(model.parameters(), lr=10)`. Mended: a tenth or a hundredth of it; `steelyard lr-range` looks for one.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

STEPS, ROSE = 60, 2.0  # times the loss at the start


@check(
    "SY502",
    "The learning rate is too high",
    "error",
    means="each step leaps over the minimum: the loss rises, or becomes NaN",
    treat="lower the rate tenfold, warm up, or clip gradients",
)
def learning_rate(case: Case) -> Saw | None:
    if not case.batches or case.optimizer is None:
        raise NotMeasured("there are no train batches, or no optimizer")
    twin = case.copy_to_train()
    optimizer = twin.optimizer
    assert optimizer is not None
    twin.model.train()
    seen: list[float] = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = twin.loss_of(case.batches[step % len(case.batches)]).mean()
        seen.append(float(loss))
        if not loss.requires_grad:
            raise NotMeasured("the loss has no graph")
        if not bool(torch.isfinite(loss)):
            break
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    few = min(5, len(case.batches), len(seen))
    first, last = sum(seen[:few]) / few, sum(seen[-few:]) / few
    rate = optimizer.param_groups[0].get("lr")
    if last == last and last <= ROSE * max(first, 1e-3):
        return None
    return Saw(
        f"after {len(seen)} steps at {rate:g} the loss is {last:.3g}, it was {first:.3g}",
        {"rate": rate, "last": str(last)},
    )
