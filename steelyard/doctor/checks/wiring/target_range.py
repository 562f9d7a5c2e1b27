"""Class codes that the outputs have no place for, or far more outputs than classes.

Codes run from 0 to classes - 1. Codes from 1 make the last one an index error; one output for many classes says one
class.

Broken: `nn.Linear(64, 9)` for the digits 0 … 9. Mended: `nn.Linear(64, 10)`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY210",
    "Class codes and outputs do not fit",
    "error",
    means="classes without an output cannot be learnt",
    treat="give the last layer one output a class, and codes from 0 to classes - 1",
)
def target_range(case: Case) -> Saw | None:
    case.model.eval()
    with torch.no_grad():
        width, codes = _width_and_codes(case)
    if codes.numel() == 0:
        raise NotMeasured("the loss is not known to take class codes")
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= width:
        return Saw(f"codes lie in {low} … {high}, and there are {width} outputs", {"low": low, "high": high})
    if width == 1:
        return Saw("there is one output, and the loss chooses among outputs: it is always zero", {"outputs": 1})
    if case.classes is not None and case.classes != width:
        return Saw(f"there are {case.classes} classes and {width} outputs", {"classes": case.classes}, "warning")
    return None


def _width_and_codes(case: Case) -> tuple[int, torch.Tensor]:
    """Outputs and codes; where the loss fails on its first batch, as codes out of range make it do, as they are."""
    try:
        found = [t for b in case.batches for t in case.terms(b) if t.kind in ("class logits", "log probabilities")]
        kept = [t.codes[t.codes != t.ignored] for t in found if t.codes.numel()]
        if not kept:
            return 0, torch.empty(0)
        return found[0].logits.shape[1], torch.cat(kept)
    except Exception:
        if not isinstance(case.loss, nn.CrossEntropyLoss | nn.NLLLoss) and case.loss not in (
            F.cross_entropy,
            F.nll_loss,
        ):
            raise
        codes = torch.cat([batch.target.flatten() for batch in case.batches])
        if codes.is_floating_point():
            raise
        out = case.outputs(case.batches[0])
        return out.shape[1] if out.dim() > 1 else 1, codes[codes != getattr(case.loss, "ignore_index", -100)]
