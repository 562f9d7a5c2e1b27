"""Answers that differ from call to call in eval mode.

Dropout that is called as a function with `training=True`, or noise that is always added, blurs every prediction.

Broken: `F.dropout(x, 0.5)`. Mended: `F.dropout(x, 0.5, self.training)`, or a module `nn.Dropout`.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.finding import Severity
from steelyard.doctor.tape import argument, taped

SAME = 1e-4  # of the spread of outputs: what sums in another order come to


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
    batch = case.batches[0]
    with torch.no_grad(), taped(case.model) as tape:
        once = case.outputs(batch).float()
    with torch.no_grad():
        again = case.outputs(batch).float()
    grave: Severity | None = "tip" if _generates(batch, once) else None
    if once.shape != again.shape:
        return Saw(f"two calls put out {tuple(once.shape)} and {tuple(again.shape)}", {}, grave)
    apart = float((once - again).abs().max()) if once.numel() else 0.0
    size = float(once.std()) if once.numel() > 1 else 0.0
    if apart > SAME * (size or 1.0):
        return Saw(f"two calls differ by up to {apart:.3g} (spread of outputs {size:.3g})", {"apart": apart}, grave)
    for call in (call for call in tape.activations if call.kind == "dropout"):
        rate, on = argument(call, 1, "p"), argument(call, 2, "training")
        if on in (True, None) and isinstance(rate, float) and rate > 0:
            where = f" in {call.where}" if call.where else ""
            return Saw(f"{call.name}(p={rate:g}){where} is on, though calls are alike", {"rate": rate}, "warning")
    return None


def _generates(batch: Batch, out: Tensor) -> bool:
    """Whether the model puts out what it takes, as autoencoders do, which may draw what they make."""
    like = any(each.shape == out.shape for each in batch.floats)
    asked = tensors(batch.answer)
    return like and (not asked or any(each.shape == out.shape for each in asked))
