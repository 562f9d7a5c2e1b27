"""Probabilities given to a loss that takes logits.

`CrossEntropyLoss` applies log-softmax, `BCEWithLogitsLoss` the sigmoid. Applied twice, gradients shrink and the
loss has a floor well above zero: with ten classes it cannot fall below 1.46.

Broken: `return self.head(x).softmax(1)` with `nn.CrossEntropyLoss()`. Mended: `return self.head(x)`.
"""

import torch

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import same_place
from steelyard.doctor.losses import Term
from steelyard.doctor.tape import Call, taped

SQUASHED = ("sigmoid", "softmax")
END = 0.02  # a sigmoid of inputs a hundred times as large is that near to 0 and 1


@check(
    "SY201",
    "Probabilities go into a loss that takes logits",
    "error",
    means="softmax or sigmoid is applied twice: gradients shrink and the loss has a floor far above zero",
    treat="return the last layer's outputs as they are; apply softmax or sigmoid only to predict",
)
def double_softmax(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        with taped(case.model) as tape:
            case.loss_of(case.batches[0])
        if _twice(tape.activations):
            return Saw("a softmax is given what a softmax puts out")
        looked = [_logits(case, batch) for batch in case.batches[:4]]
        if not looked[0]:
            raise NotMeasured("the loss is not known to take logits")
        for place, first in enumerate(looked[0]):
            same = [each[place] for each in looked if len(each) > place]
            out = torch.cat([t.logits if t.kind == "class logits" else t.out.reshape(len(t.out), -1) for t in same])
            if first.kind == "class logits" and _adds_to_one(out):
                return Saw("outputs lie in 0 … 1 and add up to 1 in every row: they have been through softmax")
            if out.numel() >= 8 and bool(((out >= 0) & (out <= 1)).all()) and _moves_within(case, place):
                text = "outputs lie in 0 … 1, however large the inputs: they have been through sigmoid"
                return Saw(text)
    return None


def _twice(calls: list[Call]) -> bool:
    """Whether a softmax takes the outputs of another as they are."""
    soft = [call for call in calls if call.kind == "softmax" and isinstance(call.out, torch.Tensor)]
    ends = [call.out for call in soft if call.name == "softmax"]
    given = [call.taken[0] for call in soft if call.taken and isinstance(call.taken[0], torch.Tensor)]
    return any(same_place(one, end) and one.shape == end.shape for one in given for end in ends)


def _adds_to_one(out: torch.Tensor) -> bool:
    inside = bool(((out >= 0) & (out <= 1)).all())
    return inside and out.shape[1] > 1 and torch.allclose(out.sum(1), torch.ones(len(out)).to(out), atol=1e-3)


def _moves_within(case: Case, place: int) -> bool:
    """Whether outputs come out of a sigmoid, or reach the ends of 0 … 1 for inputs far larger, and stay within."""
    batch = case.batches[0]
    with taped(case.model) as tape:
        end = _logits(case, batch)[place].out
    if any(isinstance(c.out, torch.Tensor) and c.kind in SQUASHED and same_place(c.out, end) for c in tape.activations):
        return True
    if not batch.floats:
        return False
    far = torch.cat([_logits(case, batch.scaled(s))[place].out.float().flatten() for s in (100.0, -100.0)])
    low, high = float(far.min()), float(far.max())
    return 0 <= low < END and 1 - END < high <= 1


def _logits(case: Case, batch: Batch) -> list[Term]:
    return [term for term in case.terms(batch) if term.kind.endswith("logits")]
