"""A model of sequences that sees what it is to predict.

Where targets are the inputs one step on, what stands at a step must depend on this step and those before it: without
a causal mask (Vaswani et al. 2017, section 3.2.3), or with a recurrent network that reads both ways, the answer is
copied, the loss nears zero, and nothing can be generated. Inputs from some step on are changed; outputs before it
must stay.

Broken: `self.encoder(x)` for the next token. Mended: `self.encoder(x, mask=causal_mask, is_causal=True)`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import differ, distinct, first_batch, with_given, woken
from steelyard.doctor.losses import Term

ALIKE = 0.95  # of the targets are inputs of a later step
STEPS = 3  # on, at the most
SMALL = 1e-4  # of the outputs' size: attention that is masked leaves less
LEAST = 32  # targets, that their agreement with inputs is no chance


@dataclass(frozen=True)
class _Shifted:
    """An input whose cells `ahead` steps on are the targets of a term; `out` is (N, T, …)."""

    place: int
    ahead: int
    out: Tensor


@check(
    "SY220",
    "The model sees what it is to predict",
    "error",
    means="the loss falls because answers are copied from the inputs; where they are not given it can do nothing",
    treat="mask later steps (is_causal=True), read forwards only, and shift targets by one step",
)
def sees_its_targets(case: Case) -> Saw | None:
    batch = first_batch(case)
    if batch.many < 2:
        raise NotMeasured("a batch holds fewer than two rows")
    twin = woken(case)
    with torch.no_grad():
        found = [(k, each) for k, term in enumerate(twin.terms(batch)) for each in _shifted(term, batch)]
        if not found:
            raise NotMeasured("targets are not the inputs some steps on")
        for number, held in found:
            steps = held.out.shape[1]
            cut = max(1, steps // 2)
            later = _depends(twin, batch, number, held, cut, slice(None, cut))
            if held.ahead == 0:
                if not later and _depends(twin, batch, number, held, cut, slice(cut, cut + 1)):
                    return Saw("targets are the inputs of the same step: they are not shifted", {"ahead": 0})
                continue
            if later:
                text = (
                    f"targets are inputs {held.ahead} on, and outputs before step {cut + 1} depend on inputs from it on"
                )
                return Saw(text, {"step": cut, "ahead": held.ahead})
    return None


def _shifted(term: Term, batch: Batch) -> list[_Shifted]:
    """The inputs (N, T, …) that a term's targets are taken from, at most one step on for each."""
    found = []
    for place, given in enumerate(batch.given):
        if given.dim() < 2 or given.shape[1] < 4:
            continue
        many, steps = given.shape[:2]
        out, target = _unrolled(term, many, given)
        if out is None or target is None:
            continue
        for ahead in (1, 0, *range(2, STEPS + 1)):
            length = min(target.shape[1], steps - ahead)
            asked, seen = target[:, :length], given[:, ahead : ahead + length]
            kept = asked != term.ignored if not given.is_floating_point() else torch.ones_like(asked, dtype=torch.bool)
            if int(kept.sum()) >= LEAST and float((asked == seen)[kept].float().mean()) >= ALIKE and _many(asked[kept]):
                found.append(_Shifted(place, ahead, out))
                break
    return found


def _many(values: Tensor) -> bool:
    """Whether there are so many values that they agree by no chance, as padding and 0/1 tags would."""
    return len(distinct(values)) > 2


def _unrolled(term: Term, many: int, given: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Outputs (N, T, …) and targets of the shape of the input (N, T, …), or None."""
    target = term.target
    if target.is_floating_point() != given.is_floating_point() or target.numel() % many:
        return None, None
    if given.is_floating_point():
        tail = given.shape[2:].numel()
        if term.out.numel() != target.numel() or (target.numel() // many) % tail:
            return None, None
        shape = (many, -1, *given.shape[2:])
        return term.out.reshape(shape), target.reshape(shape)
    if given.dim() != 2 or term.kind not in ("class logits", "log probabilities"):
        return None, None
    logits = term.logits
    return logits.reshape(many, -1, logits.shape[1]), target.reshape(many, -1)


def _depends(twin: Case, batch: Batch, number: int, held: _Shifted, cut: int, looked_at: slice) -> bool:
    """Whether outputs at some steps change with inputs from `cut` on."""
    given = list(batch.given)
    moved = given[held.place].clone()
    moved[:, cut:] = moved[:, cut:].roll(1, 0) * (3.0 if moved.is_floating_point() else 1)
    given[held.place] = moved
    again = twin.terms(with_given(batch, given))[number]
    out = _unrolled(again, batch.many, given[held.place])[0]
    if out is None or out.shape != held.out.shape:
        raise NotMeasured("outputs have another shape for other inputs")
    return differ(held.out[:, looked_at].float(), out[:, looked_at].float(), SMALL)
