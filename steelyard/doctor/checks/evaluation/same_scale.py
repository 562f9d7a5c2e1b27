"""Dev rows on another scale than train rows.

Scaling that was forgotten for dev, or fitted anew on it, shifts every input: the model is asked about other things
than it learnt. Targets that were scaled on one side only make the loss of dev meaningless.

Broken: train divided by 255, dev not. Mended: one function that prepares both, fitted on train.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import codes, spread, stacked, values

TIMES = 3.0  # between the spreads of all inputs; samples of batches differ far less
AWAY = 2.0  # spreads of train between the means
TYPICAL = 1.5  # between mean roots of sizes, which single large values hardly move
OUTSIDE = 0.5  # of the rows of dev, in one column, beyond all that train has there
FEW = 16  # rows of a side


@check(
    "SY602",
    "Train and dev are on different scales",
    "error",
    means="the model is measured on numbers unlike those it learns from",
    treat="prepare both with the same function, fitted on train",
)
def same_scale(case: Case) -> Saw | None:
    if not case.batches or not (case.dev_batches or case.test_batches):
        raise NotMeasured("train and dev batches are needed")
    train = spread(case, "train")
    here = _numbers(train)
    if not here:
        raise NotMeasured("neither inputs nor targets are floating numbers")
    for side, batches in (("dev", case.dev_batches), ("test", case.test_batches)):
        there = _numbers(spread(case, side)) if batches else {}
        for name, x in here.items():
            if name not in there or min(len(x), len(there[name])) < FEW:
                continue
            z = there[name]
            size, other = float(x.std()), float(z.std())
            away = abs(float(x.mean() - z.mean())) / (size or 1.0)
            ratio = other / size if size else (1.0 if other == 0 else float("inf"))
            if (1 / TIMES <= ratio <= TIMES and away <= AWAY) or not _throughout(x, z):
                continue
            text = f"{name}: train {float(x.mean()):.3g} ± {size:.3g}, {side} {float(z.mean()):.3g} ± {other:.3g}"
            return Saw(text, {"input": name, "side": side, "ratio": ratio, "means apart": away})
    return None


def _numbers(batches: list[Batch]) -> dict[str, Tensor]:
    """Inputs as numbers, but codes of words, and targets that are values."""
    found = {n: x.float() for n, x in stacked(batches).items() if x.is_floating_point() or x.dtype == torch.uint8}
    y = values(batches)
    if y is not None and codes(batches) is None and y.shape[1] <= 16:
        found["the target"] = y
    return {name: x[torch.isfinite(x.reshape(len(x), -1)).all(1)] for name, x in found.items()}


def _throughout(x: Tensor, z: Tensor) -> bool:
    """Whether most values differ, or those of a column, and not a few very large ones alone."""
    centre = x.mean()
    here, there = (float((side - centre).abs().sqrt().mean()) ** 2 for side in (x, z))
    if not here / TYPICAL <= there <= here * TYPICAL:
        return True
    x, z = (side if side.dim() == 2 else side.reshape(-1, 1) for side in (x, z))
    outside = (z < x.min(0).values) | (z > x.max(0).values)
    return float(outside.float().mean(0).max()) > OUTSIDE
