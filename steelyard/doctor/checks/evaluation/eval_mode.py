"""Answers that differ from call to call in eval mode.

Dropout that is called as a function with `training=True`, or noise that is always added, blurs every prediction.

Broken: `F.dropout(x, 0.5)`. Mended: `F.dropout(x, 0.5, self.training)`, or a module `nn.Dropout`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY601",
    "Predictions are random in eval mode",
    "error",
    means="dropout or noise stays on when the model is used: scores are worse than they could be, and differ",
    treat="use nn.Dropout, or pass self.training; switch augmentation off outside training",
)
def eval_mode(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        once, again = (case.outputs(case.batches[0]).float() for _ in range(2))
    apart = float((once - again).abs().max())
    size = float(once.std()) or 1.0
    return (
        None
        if apart <= 1e-4 * size or apart != apart
        else Saw(f"two calls differ by up to {apart:.3g}", {"apart": apart})
    )
