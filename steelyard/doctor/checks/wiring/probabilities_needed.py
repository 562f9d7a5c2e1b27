"""Outputs outside 0 … 1 given to a loss that takes probabilities.

`BCELoss` takes probabilities, `NLLLoss` logarithms of them; raw outputs make it fail or go below zero.

Broken: `nn.NLLLoss()(self.head(x), y)`. Mended: `nn.CrossEntropyLoss()(self.head(x), y)`.
"""

import torch

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import asked
from steelyard.doctor.losses import Term


@check(
    "SY209",
    "The loss takes probabilities, and outputs are none",
    "error",
    means="the loss has no meaning: it may fail, or fall without end",
    treat="use BCEWithLogitsLoss or CrossEntropyLoss on raw outputs",
)
def probabilities_needed(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        found = [t for b in case.batches[:4] for t in _terms(case, b) if t.kind.endswith("probabilities")]
    if not found:
        raise NotMeasured("the loss is not known to take probabilities")
    for term in found:
        out = term.logits if term.codes.numel() else term.out.reshape(len(term.out), -1)
        out = out.float()
        if term.kind == "log probabilities":
            total = out.exp().sum(1)
            if bool((out <= 1e-4).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-2):
                continue
            mean = float(total.mean())
            text = f"exp(outputs) adds up to {mean:.3g} a row: they are no logarithms of probabilities"
            return Saw(text, {"sum": mean})
        low, high = float(out.min()), float(out.max())
        if low < 0 or high > 1:
            return Saw(f"outputs lie in {low:.3g} … {high:.3g}", {"low": low, "high": high})
    return None


def _terms(case: Case, batch: Batch) -> list[Term]:
    """The terms, also where torch's loss refuses outputs that are no probabilities."""
    return asked(case, batch) or case.terms(batch)
