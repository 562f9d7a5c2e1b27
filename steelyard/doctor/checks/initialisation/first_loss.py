"""The loss before training.

A classifier that knows nothing should lose log(classes) (Karpathy 2019, "A Recipe for Training Neural Networks").
Far more means that it is sure of wrong answers: initial weights or inputs are too large.

Broken: `nn.init.normal_(layer.weight, std=1.0)`. Mended: keep torch's default, or `nn.init.kaiming_normal_`.
"""

import math

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import takes_class_logits, takes_label_logits

TIMES = 3.0  # of the loss of an even guess: usual initialisations stay below twice


@check(
    "SY301",
    "The loss is far too high",
    "warning",
    means="the model is sure of wrong answers: the first epochs are spent on unlearning that",
    treat="scale the inputs; use smaller initial weights, those of the last layer above all",
)
def first_loss(case: Case) -> Saw | None:
    classes, labels = takes_class_logits(case.loss), takes_label_logits(case.loss)
    if not case.batches or not (classes or labels):
        raise NotMeasured("no value is expected of this loss")
    case.model.eval()
    with torch.no_grad():
        losses = [float(case.loss_of(batch).mean()) for batch in case.batches]
        width = case.outputs(case.batches[0]).shape[1] if classes else 2
    loss, expected = sum(losses) / len(losses), math.log(max(2, width))
    if not math.isfinite(loss):
        return Saw(f"it is {loss}", {"loss": str(loss), "expected": expected}, "error")
    if loss <= TIMES * expected:
        return None
    return Saw(f"it is {loss:.3g}; a guess loses {expected:.3g}", {"loss": loss, "expected": expected})
