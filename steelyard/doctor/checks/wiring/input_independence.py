"""Outputs that do not depend on the inputs.

A model that ignores what it is given can still lower its loss, to that of the best constant.

Broken: `x = torch.zeros_like(x)` left from a test; ReLU on the last layer, all of whose units are dead. Mended:
take it out.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

SAME = 1e-6  # spread of outputs over rows, as a share of their size


@check(
    "SY206",
    "Outputs do not depend on the inputs",
    "error",
    means="every row gets the same answer: no constant can be beaten",
    treat="look for inputs that are overwritten, dead units before the last layer, a factor of zero",
)
def input_independence(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        outputs = [case.outputs(batch).float() for batch in case.batches[:3]]
    if outputs[0].dim() == 0 or len(outputs[0]) < 3:
        raise NotMeasured("a batch holds fewer than three rows")
    out = torch.cat([each.reshape(len(each), -1) for each in outputs if each.shape[1:] == outputs[0].shape[1:]])
    if not bool(torch.isfinite(out).all()):
        raise NotMeasured("outputs are not finite")
    spread, size = float(out.std(0).max()), float(out.abs().max())
    if spread > SAME * max(size, 1e-12):
        return None
    return Saw(f"over {len(out)} rows outputs vary by {spread:.2g}", {"spread": spread, "size": size})
