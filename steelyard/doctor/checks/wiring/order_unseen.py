"""Attention that does not see the order of a sequence.

Attention treats its inputs as a set: without a code of positions (Vaswani et al. 2017, section 3.5) "dog bites man"
and "man bites dog" are the same. Steps are put in another order; if all outputs are as before, or only move along,
order is not seen. For sets, as points or tables, that is wanted, so this is a tip.

Broken: `self.encoder(self.embed(ids))`. Mended: `self.encoder(self.embed(ids) + self.place(steps))`.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import SEED, compared_outs, differ, first_batch, with_given, woken
from steelyard.doctor.tape import taped

SAME = 1e-4  # of the outputs' size


@check(
    "SY224",
    "Attention does not see the order of the steps",
    "tip",
    means="sequences of the same steps in another order get the same answer",
    treat="add codes of positions to the embeddings, unless the steps are a set",
)
def order_unseen(case: Case) -> Saw | None:
    batch = first_batch(case)
    place = next((k for k, t in enumerate(batch.given) if t.dim() == (3 if t.is_floating_point() else 2)), None)
    if place is None or batch.given[place].shape[1] < 4:
        raise NotMeasured("no input is a sequence")
    steps = batch.given[place].shape[1]
    twin = woken(case)
    with torch.no_grad():
        with taped(twin.model) as tape:
            before = compared_outs(twin, batch)
        if not _attends(twin, [call.out for call in tape.activations if call.kind == "softmax"], steps):
            raise NotMeasured("the model has no attention over the steps")
        order = torch.randperm(steps, generator=torch.Generator().manual_seed(SEED))
        after = compared_outs(twin, _turned(batch, steps, order))
    if len(before) != len(after):
        raise NotMeasured("outputs differ in number for another order")
    for one, other in zip(before, after, strict=True):
        along = one.dim() > 1 and one.shape[1] == steps and not differ(one[:, order], other, SAME)
        if differ(one, other, SAME) and not along:
            return None
    return Saw(f"outputs are the same for another order of the {steps} steps", {"steps": steps})


def _turned(batch: Batch, steps: int, order: Tensor) -> Batch:
    """The batch with the steps of all inputs that have as many in another order: masks go along."""
    given = [t[:, order] if t.dim() > 1 and t.shape[1] == steps else t for t in batch.given]
    return with_given(batch, given)


def _attends(twin: Case, soft: list[Tensor], steps: int) -> bool:
    kinds = (torch.nn.MultiheadAttention, torch.nn.TransformerEncoderLayer)
    if any(isinstance(m, kinds) for m in twin.model.modules()):
        return True
    return any(isinstance(out, Tensor) and out.dim() >= 3 and out.shape[-2:] == (steps, steps) for out in soft)
