"""The loss before training.

A classifier that knows nothing should lose log(classes) (Karpathy 2019, "A Recipe for Training Neural Networks").
Far more means that it is sure of wrong answers: initial weights or inputs are too large.

Broken: `nn.init.normal_(layer.weight, std=1.0)`. Mended: keep torch's default, or `nn.init.kaiming_normal_`.
"""

import math

import torch
from torch.nn import functional as F

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import Term

TIMES = 3.0  # of the loss of an even guess: usual initialisations stay below twice


@check(
    "SY301",
    "The loss is far too high",
    "warning",
    means="the model is sure of wrong answers: the first epochs are spent on unlearning that",
    treat="scale the inputs; use smaller initial weights, those of the last layer above all",
)
def first_loss(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        looked = [[t for t in case.terms(b) if t.kind.endswith("logits")] for b in case.batches[:8]]
        if not looked[0]:
            raise NotMeasured("no value is expected of this loss")
        for place, first in enumerate(looked[0]):
            same = [each[place] for each in looked if len(each) > place]
            loss = sum(_lost(term) for term in same) / len(same)
            expected = math.log(max(2, first.logits.shape[1])) if first.kind == "class logits" else math.log(2)
            if not math.isfinite(loss):
                return Saw(f"it is {loss}", {"loss": str(loss), "expected": expected}, "error")
            if loss > TIMES * expected:
                return Saw(f"it is {loss:.3g}; a guess loses {expected:.3g}", {"loss": loss, "expected": expected})
    return None


def _lost(term: Term) -> float:
    """The plain mean loss of logits, without weights."""
    if term.kind == "label logits":
        return float(F.binary_cross_entropy_with_logits(term.out.float(), term.target.float().reshape(term.out.shape)))
    if term.codes.numel():
        return float(F.cross_entropy(term.logits.float(), term.codes, ignore_index=term.ignored))
    return float(F.cross_entropy(term.out.float(), term.target))
