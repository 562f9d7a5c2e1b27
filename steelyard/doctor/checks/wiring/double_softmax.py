"""Probabilities given to a loss that takes logits.

`CrossEntropyLoss` applies log-softmax, `BCEWithLogitsLoss` the sigmoid. Applied twice, gradients shrink and the
loss has a floor well above zero: with ten classes it cannot fall below 1.46.

Broken: `return self.head(x).softmax(1)` with `nn.CrossEntropyLoss()`. Mended: `return self.head(x)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.tape import taped


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
        looked = [[t for t in case.terms(b) if t.kind.endswith("logits")] for b in case.batches[:4]]
        if not looked[0]:
            raise NotMeasured("the loss is not known to take logits")
        for place, first in enumerate(looked[0]):
            same = [each[place] for each in looked if len(each) > place]
            out = torch.cat([t.logits if t.kind == "class logits" else t.out.reshape(len(t.out), -1) for t in same])
            if first.kind == "class logits" and _adds_to_one(out):
                return Saw("outputs lie in 0 … 1 and add up to 1 in every row: they have been through softmax")
            if out.numel() >= 8 and bool(((out >= 0) & (out <= 1)).all()) and _moves_within(case, place):
                text = "outputs lie in 0 … 1 even for inputs a hundred times as large: they have been through sigmoid"
                return Saw(text)
    return None


def _adds_to_one(out: torch.Tensor) -> bool:
    inside = bool(((out >= 0) & (out <= 1)).all())
    return inside and out.shape[1] > 1 and torch.allclose(out.sum(1), torch.ones(len(out)).to(out), atol=1e-3)


def _moves_within(case: Case, place: int) -> bool:
    """Whether outputs stay in 0 … 1 for inputs that are far larger, or a sigmoid is what is called last."""
    batch = case.batches[0]
    if batch.floats:
        far = [case.terms(batch.scaled(s))[place].out.float() for s in (100.0, -100.0)]
        return all(bool(((out >= 0) & (out <= 1)).all()) for out in far)
    with taped(case.model) as tape:
        case.put_out(batch)
    return bool(tape.activations) and tape.activations[-1].kind == "sigmoid"
