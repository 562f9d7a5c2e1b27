"""Dev rows that were prepared otherwise than train rows.

Scaling that was forgotten for dev, or fitted anew on it, shifts every input: the model is asked about other things
than it learnt.

Broken: train divided by 255, dev not. Mended: one function that prepares both, fitted on train.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

TIMES = 3.0  # between the spreads of all inputs; samples of batches differ far less
AWAY = 2.0  # spreads of train between the means


@check(
    "SY602",
    "Train and dev inputs are on different scales",
    "error",
    means="the model is measured on inputs unlike those it learns from",
    treat="prepare both with the same function, fitted on train",
)
def same_scale(case: Case) -> Saw | None:
    if not case.batches or not case.dev_batches:
        raise NotMeasured("train and dev batches are needed")
    sides = [[batch.floats for batch in batches] for batches in (case.batches, case.dev_batches)]
    if not sides[0][0] or not sides[1][0]:
        raise NotMeasured("no input is a tensor of floating numbers")
    here, there = (torch.cat([given[0].float().flatten() for given in side]) for side in sides)
    spread, other = float(here.std()), float(there.std())
    away = abs(float(here.mean() - there.mean())) / (spread or 1.0)
    ratio = other / spread if spread else float("inf")
    if 1 / TIMES <= ratio <= TIMES and away <= AWAY:
        return None
    text = f"train {float(here.mean()):.3g} ± {spread:.3g}, dev {float(there.mean()):.3g} ± {other:.3g}"
    return Saw(text, {"ratio": ratio, "means apart": away})
