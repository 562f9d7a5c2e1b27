"""Outputs outside 0 … 1 given to a loss that takes probabilities.

`BCELoss` takes probabilities, `NLLLoss` logarithms of them; raw outputs make it fail or go below zero.

Broken: `nn.NLLLoss()(self.head(x), y)`. Mended: `nn.CrossEntropyLoss()(self.head(x), y)`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from steelyard.doctor.case import Case, rowwise
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import takes_probabilities


@check(
    "SY209",
    "The loss takes probabilities, and outputs are none",
    "error",
    means="the loss has no meaning: it may fail, or fall without end",
    treat="use BCEWithLogitsLoss or CrossEntropyLoss on raw outputs",
)
def probabilities_needed(case: Case) -> Saw | None:
    logs = isinstance(case.loss, nn.NLLLoss) or case.loss is F.nll_loss
    if not case.batches or not (logs or takes_probabilities(case.loss)):
        raise NotMeasured("the loss is not known to take probabilities")
    case.model.eval()
    with torch.no_grad():
        out = torch.cat([rowwise(case.outputs(batch)) for batch in case.batches[:4]])
    if logs:
        total = out.exp().sum(1)
        if bool((out <= 1e-4).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-2):
            return None
        mean = float(total.mean())
        return Saw(f"exp(outputs) adds up to {mean:.3g} a row: they are no logarithms of probabilities", {"sum": mean})
    low, high = float(out.min()), float(out.max())
    return None if low >= 0 and high <= 1 else Saw(f"outputs lie in {low:.3g} … {high:.3g}", {"low": low, "high": high})
