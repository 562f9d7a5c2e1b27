"""An output, or a term of the loss, that the training does not see.

A model with two heads whose loss takes the first one only, a term that is multiplied by zero: the weights behind it
stay as they were. Outputs that share all their weights with others, as hidden states do, are no fault.

Broken: `loss = F.cross_entropy(logits, y)` with `logits, box = model(x)`. Mended: `… + F.l1_loss(box, z)`.
"""

from typing import Any

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import SEED, first_batch, terms_and_loss, woken

BATCHES = 4


@check(
    "SY214",
    "An output has no part in the loss",
    "warning",
    means="the weights that make it are never trained",
    treat="add its term to the loss, give the term a weight other than zero, or leave the output out",
)
def unused_outputs(case: Case) -> Saw | None:
    first_batch(case)
    twin = woken(case)
    named = [(name, p) for name, p in twin.model.named_parameters() if p.requires_grad]
    trained: dict[str, Tensor] = {}
    behind: list[dict[str, Tensor]] = []
    part: list[bool] = []
    for batch in case.batches[:BATCHES]:
        outs, loss = _run(twin, batch)
        if len(outs) < 2:
            raise NotMeasured("the model puts out one tensor, and the loss has one term")
        if not loss.requires_grad:
            raise NotMeasured("the loss has no graph")
        if part and len(part) != len(outs):
            raise NotMeasured("batches have different numbers of outputs")
        part = part or [False] * len(outs)
        behind = behind or [{} for _ in outs]
        seen = torch.autograd.grad(loss, outs, retain_graph=True, allow_unused=True)
        part = [was or (g is not None and bool(g.any())) for was, g in zip(part, seen, strict=True)]
        _add(trained, named, loss)
        for held, out, used in zip(behind, outs, part, strict=True):
            if not used:
                _add(held, named, (out * torch.randn(out.shape, generator=_stream()).to(out)).sum())
    for place, used in enumerate(part):
        if used:
            continue
        lost = [n for n, moved in behind[place].items() if _rows(moved & ~trained.get(n, torch.zeros_like(moved)))]
        if lost:
            lost.sort(key=lambda name: name in trained)
            text = f"the loss does not depend on output {place + 1} of {len(part)}, which {lost[0]} helps to make"
            return Saw(text, {"output": place, "parameters": lost})
    return None


def _stream() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def _run(twin: Case, batch: Batch) -> tuple[list[Tensor], Tensor]:
    """What the model puts out and what the loss compares, different tensors only, and the loss of it all."""
    held: list[Any] = []
    handle = twin.model.register_forward_hook(lambda _, __, out: held.append(out))
    try:
        terms, loss = terms_and_loss(twin, batch)
    finally:
        handle.remove()
    found = [each for each in tensors(held[-1] if held else ()) if each.is_floating_point() and each.dim() > 0]
    found = [each for each in (*found, *(term.out for term in terms)) if each.requires_grad]
    return list({id(each): each for each in found}.values()), loss


def _add(held: dict[str, Tensor], named: list[tuple[str, Any]], value: Tensor) -> None:
    """Note which weights have a gradient of a value, besides those noted before."""
    grads = torch.autograd.grad(value, [p for _, p in named], retain_graph=True, allow_unused=True)
    for (name, _), grad in zip(named, grads, strict=True):
        if grad is not None:
            held[name] = held[name] | (grad != 0) if name in held else grad != 0


def _rows(alone: Tensor) -> bool:
    """Whether whole rows of a weight serve what the loss does not see; a stray zero is none."""
    return bool((alone.reshape(len(alone), -1) if alone.dim() else alone.reshape(1, 1)).all(1).any())
