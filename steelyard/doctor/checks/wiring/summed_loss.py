"""A loss that grows with the batch.

With `reduction="sum"` a batch twice as large makes a step twice as long: the learning rate holds for one batch size
only, and the last, smaller batch counts less. A mean that is divided by the number of rows once more does the
opposite.

Broken: `nn.MSELoss(reduction="sum")`. Mended: `nn.MSELoss()`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import aligned

GROWS, SHRINKS = 1.9, 0.6  # times the loss, for rows that come twice


@check(
    "SY212",
    "The loss grows with the batch",
    "warning",
    means="steps are as much longer as a batch is larger",
    treat="use reduction='mean', or divide the loss by the number of rows",
)
def summed_loss(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    if not aligned(case.batches[0]):
        raise NotMeasured("rows belong together, as the nodes of a graph do")
    case.model.eval()
    with torch.no_grad():
        once, again = (case.loss_of(batch) for batch in (case.batches[0], case.batches[0].twice()))
    if once.numel() != 1 or again.numel() != 1 or not bool(torch.isfinite(once)) or float(once) == 0:
        raise NotMeasured("the loss is no finite number other than zero")
    ratio = float(again) / float(once)
    if ratio > GROWS:
        return Saw(f"the same rows twice lose {ratio:.2f} times as much", {"ratio": ratio})
    if 0.4 < ratio < SHRINKS:
        return Saw(
            f"the same rows twice lose {ratio:.2f} times as much: the mean is divided again", {"ratio": ratio}, "tip"
        )
    return None
