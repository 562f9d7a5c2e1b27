"""A label that is put into the inputs and not learnt.

With the answer written over its inputs, a network has nothing left to find out, and learns it within a few steps. One
that does not has its fault between inputs and loss, not in the data (Chollet 2021, "Deep Learning with Python",
section 5.4, on the order in which to look).

Broken: `out = self.head(h.mean(0))`, the mean over rows. Mended: `self.head(h.mean(1))`, over time.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import rehearse
from steelyard.doctor.skill import skills

STEPS, RATES = 250, (3e-3, 3e-4, 3e-2)
RIGHT = {"values": 0.5}  # of the variance; of answers:
ENOUGH = 0.9
FAINT = 0.1  # of the inputs as they are is left, so that rows still differ
BATCHES = 6


@check(
    "SY507",
    "The label given as an input is not learnt",
    "error",
    means="between inputs and loss something is broken: better data will not help",
    treat="follow one row through the model: axes, masks, what is dropped; then the loss and its target",
)
def label_input(case: Case) -> Saw | None:
    batches = [_told(case, batch) for batch in case.batches[:BATCHES]]
    if not batches:
        raise NotMeasured("there are no train batches")
    best: list[float] = []
    for rate in RATES:
        if case.left() < 6:
            raise NotMeasured("there was no time to train")
        twin = case.copy()
        twin.batches, twin.dev_batches = batches, batches[:1]
        twin.optimizer = torch.optim.Adam([p for p in twin.model.parameters() if p.requires_grad], rate)
        trained = rehearse(twin, steps=STEPS)
        trained.case.model.eval()
        found = skills(trained.case, batches)
        if not found:
            raise NotMeasured("the loss is of no known kind")
        if all(each.score >= RIGHT.get(each.kind, ENOUGH) or each.chance > ENOUGH for each in found):
            return None
        if trained.steps < STEPS and trained.broke is None:
            raise NotMeasured("there was no time to train")
        best = max(best, [each.score for each in found])
    text = f"{STEPS} steps on rows that hold the answer get {min(best):.0%} right"
    return Saw(text, {"scores": best, "steps": STEPS})


def _told(case: Case, batch: Batch) -> Batch:
    """The batch with a pattern of the answer over its first floating input."""
    with torch.no_grad():
        found = case.terms(batch)
    if len(found) != 1 or not batch.floats:
        raise NotMeasured("inputs are no floating numbers, or the loss is not one comparison of a known kind")
    first, rest = batch.floats[0], batch.floats[1:]
    target = found[0].target
    if target.numel() == first.numel():
        raise NotMeasured("the target is as large as the input, as of an autoencoder")
    if len(target) != len(first) or first.dim() < 2:
        raise NotMeasured("there is not one target a row")
    codes = target if not target.is_floating_point() else None
    if codes is not None and codes.dim() != 1:
        raise NotMeasured("there is not one class a row")
    stream = torch.Generator().manual_seed(0)
    size = float(first.float().std()) or 1.0
    if codes is not None:
        classes = found[0].logits.shape[1]
        written = _patterns(classes, first, stream)[codes.clamp(0, classes - 1)]
    else:
        y = target.float().reshape(len(target), -1)
        y = (y - y.mean(0)) / y.std(0).clamp_min(1e-6)
        written = torch.tensordot(y, _patterns(y.shape[1], first, stream), 1)
    return batch.with_inputs([(size * written + FAINT * first).to(first.dtype), *rest])


def _patterns(many: int, first: Tensor, stream: torch.Generator) -> Tensor:
    """A pattern for each answer: noise, and a level of its own that pooling leaves standing."""
    noise = torch.randn((many, *first.shape[1:]), generator=stream)
    level = torch.linspace(-1.5, 1.5, many).reshape(many, *[1] * (first.dim() - 1)) if many > 1 else 1.0
    return (noise + level).to(first.device)
