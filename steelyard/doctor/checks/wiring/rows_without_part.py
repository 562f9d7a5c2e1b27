"""Rows, or a whole class, that have no part in the loss.

A class weight of zero, an `ignore_index` that is the code of a class, or a mask that is the wrong way round takes rows
out of the loss without a word: what they say is never learnt.

Broken: `nn.CrossEntropyLoss(ignore_index=0)` with a class 0. Mended: `ignore_index=-100`, which no class has.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import loss_and_terms

LEAST = 0.02  # of the rows
FEWEST = 16


@check(
    "SY226",
    "Rows have no part in the loss",
    "error",
    means="the model is never told about them: it cannot learn their class",
    treat="look at class weights (an integer division gives zeros), at ignore_index, at the mask of the loss",
)
def rows_without_part(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    codes, silent = [], []
    for batch in case.batches[:16]:
        loss, found = loss_and_terms(case, batch)
        one = [
            t for t in found if t.codes.numel() and t.target.dim() == 1 and len(t.out) == len(t.target) == batch.many
        ]
        if len(one) != 1 or not loss.requires_grad or not bool(torch.isfinite(loss).all()):
            raise NotMeasured("the loss is no finite comparison with one class a row")
        (grad,) = torch.autograd.grad(loss.sum(), one[0].out, allow_unused=True)
        if grad is None or not bool(grad.any()):
            raise NotMeasured("the loss does not depend on these outputs")
        codes.append(one[0].target)
        silent.append((grad == 0).flatten(1).all(1))
    code, quiet = torch.cat(codes), torch.cat(silent)
    lost = [k for k in torch.unique(code[code >= 0]).tolist() if bool(quiet[code == k].all())]
    share = float(sum((code == k).float().mean() for k in lost))
    if not lost or share < LEAST or len(code) < FEWEST:
        return None
    which = f"class {lost[0]}" if len(lost) == 1 else f"classes {', '.join(map(str, lost[:8]))}"
    return Saw(f"all rows of {which}, {share:.0%}, get a gradient of zero", {"classes": lost, "share": share})
