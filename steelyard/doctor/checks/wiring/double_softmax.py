"""Probabilities given to a loss that takes logits.

`CrossEntropyLoss` applies log-softmax, `BCEWithLogitsLoss` the sigmoid. Applied twice, gradients shrink and the
loss has a floor well above zero: with ten classes it cannot fall below 1.46.

Broken: `return self.head(x).softmax(1)` with `nn.CrossEntropyLoss()`. Mended: `return self.head(x)`.
"""

import torch

from steelyard.doctor.case import Case, rowwise
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import takes_class_logits, takes_label_logits


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
    classes, labels = takes_class_logits(case.loss), takes_label_logits(case.loss)
    if not classes and not labels:
        raise NotMeasured("the loss is not known to take logits")
    case.model.eval()
    with torch.no_grad():
        out = torch.cat([rowwise(case.outputs(batch)) for batch in case.batches[:4]])
    inside = bool(((out >= 0) & (out <= 1)).all())
    if classes and inside and out.shape[1] > 1 and torch.allclose(out.sum(1), torch.ones(len(out)).to(out), atol=1e-3):
        return Saw("outputs lie in 0 … 1 and add up to 1 in every row: they have been through softmax")
    last = [m for m in case.model.modules() if not list(m.children())][-1:]
    if last and isinstance(last[0], torch.nn.LogSoftmax | torch.nn.Softmax) and classes:
        return Saw(f"the last layer is {type(last[0]).__name__}", {"layer": type(last[0]).__name__})
    if inside and (labels or classes) and len(out) * out.shape[1] >= 8 and _moves_within(case):
        return Saw("outputs lie in 0 … 1 even for inputs a hundred times as large: they have been through sigmoid")
    return None


def _moves_within(case: Case) -> bool:
    """Whether outputs stay in 0 … 1 for inputs that are far larger, and vary."""
    from steelyard.doctor.perturbing import scaled

    with torch.no_grad():
        far = [case.outputs(scaled(batch, s)).float() for batch in case.batches[:2] for s in (100.0, -100.0)]
    return all(bool(((out >= 0) & (out <= 1)).all()) for out in far)
