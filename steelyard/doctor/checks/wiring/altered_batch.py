"""A forward pass or loss that changes the batch itself.

`x -= x.mean()` and `relu_` on the inputs write into the tensor that the loader gave: where rows are kept in memory,
each epoch starts from what the last one left.

Broken: `x -= self.mean`. Mended: `x = x - self.mean`.
"""

import torch

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, names_of_inputs


@check(
    "SY223",
    "The batch is changed in place",
    "warning",
    means="rows that are seen again are no longer what they were, and whatever uses the batch later sees other numbers",
    treat="use x = x - mean instead of x -= mean, relu instead of relu_, or clone the inputs first",
)
def altered_batch(case: Case) -> Saw | None:
    first = first_batch(case)
    batch: Batch = first.mapped(lambda t: t.detach().clone())
    case.model.train()
    with torch.no_grad():
        case.loss_of(batch)
    names = names_of_inputs(case, first)
    pairs = list(zip(names, first.given, batch.given, strict=True))
    pairs += [("the target", a, b) for a, b in zip(tensors(first.answer), tensors(batch.answer), strict=True)]
    for name, before, after in pairs:
        if before.shape != after.shape or not torch.equal(before.nan_to_num(), after.nan_to_num()):
            return Saw(f"after one pass {name} holds other numbers", {"changed": name})
    return None
