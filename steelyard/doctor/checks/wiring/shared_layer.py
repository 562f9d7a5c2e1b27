"""One layer in several places.

Multiplying a list does not copy what it holds: `[layer] * 4` is one layer four times. A list of heads that is made so
has one head. Towers that share a layer on purpose, tied embeddings, and a layer called in a loop are sound.

Broken: `nn.Sequential(*[block] * 4)`. Mended: `nn.Sequential(*[Block() for _ in range(4)])`.
"""

import re
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch

LISTS = (nn.ModuleList, nn.Sequential, nn.ModuleDict)


@check(
    "SY217",
    "One layer stands in several places",
    "warning",
    means="what looks like several layers are the same weights: the model is as much smaller",
    treat="make each layer anew, as in [nn.Linear(8, 8) for _ in range(4)], or copy.deepcopy it",
)
def shared_layer(case: Case) -> Saw | None:
    places = [
        (name, names, held)
        for name, holder in case.model.named_modules()
        for names, held in _repeated(name, holder)
        if any(True for _ in held.parameters()) and not isinstance(held, nn.PReLU)
    ]
    if not places:
        return None
    batch = first_batch(case)
    for name, names, held in places:
        if _on_purpose(case, held, batch):
            continue
        shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        where = f" of {name}" if name else ""
        return Saw(f"{shown}{where} are one {type(held).__name__}", {"holder": name, "names": names})
    return None


def _repeated(name: str, holder: nn.Module) -> list[tuple[list[str], nn.Module]]:
    """Layers that a list holds several times, or a module under names that differ by a number only."""
    slots: dict[tuple[int, str], tuple[list[str], nn.Module]] = {}
    for own, each in holder._modules.items():
        if each is None:
            continue
        stem = "" if isinstance(holder, LISTS) else re.sub(r"\d+", "#", own)
        if isinstance(holder, LISTS) or "#" in stem:
            slots.setdefault((id(each), stem), ([], each))[0].append(own)
    return [found for found in slots.values() if len(found[0]) > 1]


def _on_purpose(case: Case, held: nn.Module, batch: Any) -> bool:
    """Whether calls stand side by side on different inputs, as those of heads that share their weights."""
    calls: list[tuple[list[Tensor], list[Tensor]]] = []

    def keep(_: Any, given: Any, named: Any, out: Any) -> None:
        calls.append((tensors([list(given), named]), tensors(out)))

    handle = held.register_forward_hook(keep, with_kwargs=True)
    try:
        case.loss_of(batch)
    finally:
        handle.remove()
    if len(calls) < 2:
        return True  # it has several names and is used once
    for (_, before), (given, _) in pairwise(calls):
        starts = [t for t in before if t.requires_grad]
        ends = [t for t in given if t.requires_grad]
        total = sum(t.float().sum() for t in ends)
        if starts and isinstance(total, Tensor):
            reached = torch.autograd.grad(total, starts, retain_graph=True, allow_unused=True)
            if any(grad is not None for grad in reached):
                return False
    first, second = calls[0][0], calls[1][0]
    return not all(a.shape == b.shape and bool((a == b).all()) for a, b in zip(first, second, strict=False))
