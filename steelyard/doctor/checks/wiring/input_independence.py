"""Outputs that do not depend on the inputs.

A model that ignores what it is given can still lower its loss, to that of the best constant.

Broken: `x = torch.zeros_like(x)` left from a test; ReLU on the last layer, all of whose units are dead. Mended:
take it out.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import compared_outs, first_batch, woken

SAME = 1e-6  # spread of outputs over rows, as a share of their size
BATCHES = 3


@check(
    "SY206",
    "Outputs do not depend on the inputs",
    "error",
    means="every row gets the same answer: no constant can be beaten",
    treat="look for inputs that are overwritten, dead units before the last layer, a factor of zero",
)
def input_independence(case: Case) -> Saw | None:
    batch = first_batch(case)
    if batch.many < 3:
        raise NotMeasured("a batch holds fewer than three rows")
    if not any(t.dim() and len(t) == batch.many and bool((t != t[:1]).any()) for t in batch.given):
        raise NotMeasured("all rows of the inputs are alike")
    case.model.eval()
    with torch.no_grad():
        outputs = [compared_outs(case, each) for each in case.batches[:BATCHES]]
        if not _constant(outputs):
            return None
        twin = woken(case)  # a last layer of zeros is a start that is chosen on purpose
        outputs = [compared_outs(twin, each) for each in case.batches[:BATCHES]]
    constant = _constant(outputs)
    if not constant:
        return None
    place, spread, size, rows = constant[0]
    which = "" if len(outputs[0]) == 1 else f" number {place + 1}"
    severe = None if len(constant) == len(outputs[0]) else "warning"
    evidence = {"spread": spread, "size": size, "output": place}
    return Saw(f"over {rows} rows outputs{which} vary by {spread:.2g}", evidence, severe)  # type: ignore[arg-type]


def _constant(outputs: list[list[Tensor]]) -> list[tuple[int, float, float, int]]:
    """Which outputs are the same for all rows: their place, spread, size and rows."""
    found = []
    for place, first in enumerate(outputs[0]):
        same = [each[place].float() for each in outputs if len(each) > place]
        if first.dim() == 0 or len(first) < 3:
            continue
        out = torch.cat([each.reshape(len(each), -1) for each in same if each.shape[1:] == first.shape[1:]])
        if not bool(torch.isfinite(out).all()):
            raise NotMeasured("outputs are not finite")
        spread, size = float(out.std(0).max()), float(out.abs().max())
        if spread <= SAME * max(size, 1e-12):
            found.append((place, spread, size, len(out)))
    return found
