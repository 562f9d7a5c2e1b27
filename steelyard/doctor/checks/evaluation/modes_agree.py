"""A model that is much worse in eval mode than in train mode on the very rows it was trained on.

In eval mode batch normalisation uses running statistics (Ioffe & Szegedy 2015, arXiv 1502.03167, section 3.1). Where
these do not follow, for a momentum that is too small, batches that are too few or unlike one another, or statistics
that are never updated, what works in training fails in use.

Broken: `nn.BatchNorm2d(64, momentum=0.001)`. Mended: `momentum=0.1`, or GroupNorm for small batches.
"""

from collections.abc import Sequence

import torch

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import rehearsed, steady
from steelyard.doctor.skill import skills

STEPS = 100  # statistics with momentum 0.1 follow within some tens of steps
TIMES, SCORE = 2.0, 0.15  # times the loss, and points of the score lost


@check(
    "SY604",
    "Train and eval mode disagree",
    "warning",
    means="scores in eval mode say less than the model can do, or training says more",
    treat="larger batches, a momentum near 0.1, another normalisation; look for batches that are unlike one another",
)
def modes_agree(case: Case) -> Saw | None:
    if not any(getattr(m, "running_mean", None) is not None for m in case.model.modules()):
        raise NotMeasured("no module keeps running statistics")
    own = rehearsed(case)
    if own.steps < STEPS or own.broke is not None:
        raise NotMeasured(f"there was no time for {STEPS} steps, or training became NaN")
    twin, batches = own.case, own.seen[:8]
    with torch.no_grad():
        with steady(twin.model):
            learning, skill = _loss(twin, batches), skills(twin, batches)
        twin.model.eval()
        using, found = _loss(twin, batches), skills(twin, batches)
    lost = max((a.score - b.score for a, b in zip(skill, found, strict=False)), default=float("inf"))
    if using <= TIMES * max(learning, 1e-3) or lost <= SCORE:
        return None
    text = f"on rows it was trained on the loss is {learning:.3g} in train mode and {using:.3g} in eval mode"
    if found:
        text += f", the score {skill[0].score:.2f} and {found[0].score:.2f}"
    return Saw(text, {"train": learning, "eval": using})


def _loss(case: Case, batches: Sequence[Batch]) -> float:
    losses = [float(case.loss_of(batch).float().mean()) for batch in batches]
    return sum(losses) / len(losses)
