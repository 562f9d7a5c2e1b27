"""Class codes that the outputs have no place for, or far more outputs than classes.

Codes run from 0 to classes - 1. Codes from 1 make the last one an index error; one output for many classes says one
class.

Broken: `nn.Linear(64, 9)` for the digits 0 … 9. Mended: `nn.Linear(64, 10)`.
"""

import torch

from steelyard.doctor.case import Case, target_of
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import takes_class_logits


@check(
    "SY210",
    "Class codes and outputs do not fit",
    "error",
    means="classes without an output cannot be learnt",
    treat="give the last layer one output a class, and codes from 0 to classes - 1",
)
def target_range(case: Case) -> Saw | None:
    if not case.batches or not takes_class_logits(case.loss):
        raise NotMeasured("the loss is not known to take class codes")
    targets = [target_of(batch) for batch in case.batches]
    if not all(isinstance(t, torch.Tensor) and not t.is_floating_point() for t in targets):
        raise NotMeasured("targets are no class codes")
    codes = torch.cat([t.flatten() for t in targets])
    codes = codes[codes != getattr(case.loss, "ignore_index", -100)]
    case.model.eval()
    with torch.no_grad():
        width = case.outputs(case.batches[0]).shape[1]
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= width:
        return Saw(f"codes lie in {low} … {high}, and there are {width} outputs", {"low": low, "high": high})
    if width == 1:
        return Saw("there is one output, and the loss chooses among outputs: it is always zero", {"outputs": 1})
    if case.classes is not None and case.classes != width:
        return Saw(f"there are {case.classes} classes and {width} outputs", {"classes": case.classes}, "warning")
    return None
