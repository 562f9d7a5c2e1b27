"""Weight decay that outweighs the loss.

Decay pulls weights towards zero at every step. Where it pulls harder than the loss, the model cannot fit even the rows
it is trained on: the same training without decay shows it.

Broken: `SGD(model.parameters(), lr=0.1, weight_decay=1.0)`. Mended: `weight_decay=1e-4`; for AdamW 0.01 is usual.
"""

import math

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import rehearse, rehearsed

SMALL = 5e-3  # below, decay in any usual optimizer pulls weakly
LEFT, WORSE = 0.25, 1.5  # of the loss at the start is left, and that is so many times what is left without decay


@check(
    "SY508",
    "Weight decay is too strong",
    "warning",
    means="it pulls weights to zero harder than the loss pushes them: train rows are not fitted",
    treat="lower it a hundredfold, to 1e-4 (SGD) or 1e-2 (AdamW), and raise it only while dev gains",
)
def weight_decay(case: Case) -> Saw | None:
    if case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    decay = max(float(group.get("weight_decay", 0.0)) for group in case.optimizer.param_groups)
    if decay < SMALL:
        return None
    own = rehearsed(case)
    if own.steps < 50 or own.broke is not None or not math.isfinite(own.after):
        raise NotMeasured("there was no time for 50 steps, or the loss is not finite")
    if own.after < LEFT * own.before:
        return None

    def without(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.0

    free = rehearse(case, without, own.steps)
    if free.broke is not None or own.after < WORSE * free.after:
        return None
    text = f"with a decay of {decay:g} {own.steps} steps end at a loss of {own.after:.3g}, without at {free.after:.3g}"
    return Saw(text, {"decay": decay, "after": own.after, "without": free.after})
