"""The loss before training.

A classifier that knows nothing should lose log(classes) (Karpathy 2019, "A Recipe for Training Neural Networks").
Far more means that it is sure of wrong answers: initial weights or inputs are too large. Outputs for values should
be no larger by far than the values.

Broken: `nn.init.normal_(layer.weight, std=1.0)`. Mended: keep torch's default, or `nn.init.kaiming_normal_`.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import Term

TIMES = 3.0  # of the loss of an even guess: usual initialisations stay below twice
FAR = 100.0  # times the mean square of targets: outputs ten times as large
KEPT = 0.75  # of the size of outputs, with any one weight halved
LARGE = 3.0  # outputs (root mean square) below that are a usual start, whatever the targets


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
    if isinstance(case.loss, nn.Module) and any(True for _ in case.loss.parameters()):
        raise NotMeasured("the loss has weights of its own, and may add a margin")
    case.model.eval()
    with torch.no_grad():
        looked = [
            [t for t in case.terms(b) if t.kind.endswith("logits") or t.kind == "values"] for b in case.batches[:8]
        ]
        if not looked[0]:
            raise NotMeasured("no value is expected of this loss")
        for place, first in enumerate(looked[0]):
            same = [each[place] for each in looked if len(each) > place and each[place].kind == first.kind]
            saw = _values(same) if first.kind == "values" else _logits(same)
            if saw is not None and not _of_cosines(case, place, first):
                return saw
    return None


def _logits(same: list[Term]) -> Saw | None:
    first = same[0]
    loss = sum(_lost(term) for term in same) / len(same)
    expected = math.log(max(2, first.logits.shape[1])) if first.kind == "class logits" else math.log(2)
    if not math.isfinite(loss):
        return Saw(f"it is {loss}", {"loss": str(loss), "expected": expected}, "error")
    if loss > TIMES * expected:
        return Saw(f"it is {loss:.3g}; a guess loses {expected:.3g}", {"loss": loss, "expected": expected})
    return None


def _known(case: Case, batch: Batch) -> list[Term]:
    return [term for term in case.terms(batch) if term.kind.endswith("logits") or term.kind == "values"]


def _of_cosines(case: Case, place: int, first: Term) -> bool:
    """Whether no weight makes outputs smaller as it is halved: scaled cosines are as sure as their scale."""
    twin = case.copy()
    twin.model.eval()
    size = float(first.out.double().square().mean().sqrt())
    for p in [each for each in twin.model.parameters() if each.dim() > 1]:
        p.mul_(0.5)
        terms = _known(twin, case.batches[0])
        p.mul_(2.0)
        if len(terms) <= place or float(terms[place].out.double().square().mean().sqrt()) < KEPT * size:
            return False
    return True


def _values(same: list[Term]) -> Saw | None:
    out = torch.cat([term.out.double().flatten() for term in same])
    target = torch.cat([term.target.double().flatten() for term in same])
    if not bool(torch.isfinite(out).all()):
        return Saw("outputs are not finite", {}, "error")
    size, wanted = float(out.square().mean()), float(target.square().mean())
    if size <= FAR * wanted or size <= LARGE**2:
        return None
    text = f"outputs are of the size {size**0.5:.3g}, targets of {wanted**0.5:.3g}"
    return Saw(text, {"outputs": size**0.5, "targets": wanted**0.5})


def _lost(term: Term) -> float:
    """The plain mean loss of logits, without weights."""
    if term.kind == "label logits":
        return float(F.binary_cross_entropy_with_logits(term.out.float(), term.target.float().reshape(term.out.shape)))
    if term.codes.numel():
        return float(F.cross_entropy(term.logits.float(), term.codes, ignore_index=term.ignored))
    return float(F.cross_entropy(term.out.float(), term.target))
