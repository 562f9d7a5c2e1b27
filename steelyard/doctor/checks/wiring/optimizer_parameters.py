"""Parameters that the optimizer does not hold.

An optimizer that was made before a layer was added or replaced, or for a part of the model, trains only what it was
given. A loss may have weights of its own (class centres, a learnt temperature), which must be in it, too.

Broken: `optimizer = Adam(model.head.parameters())`. Mended: `optimizer = Adam(model.parameters())`.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.lightning import is_lightning


@check(
    "SY204",
    "Parameters are not in the optimizer",
    "error",
    means="they get gradients and are never moved",
    treat="make the optimizer after the model is complete, with model.parameters(); freeze on purpose by requires_grad",
)
def optimizer_parameters(case: Case) -> Saw | None:
    if case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    held = {id(p) for each in _optimizers(case) for group in each.param_groups for p in group["params"]}
    mine = {name: p for name, p in case.model.named_parameters() if p.requires_grad}
    if not mine:
        raise NotMeasured("no parameter is to be trained")
    missing = [name for name, p in mine.items() if id(p) not in held]
    if len(missing) == len(mine):
        text = "the optimizer holds none of the model's parameters: it belongs to another model"
        return Saw(text, {"missing": missing})
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        return Saw(f"{len(missing)} of {len(mine)} parameters are not in the optimizer: {shown}", {"missing": missing})
    if isinstance(case.loss, nn.Module):
        own = [name for name, p in case.loss.named_parameters() if p.requires_grad and id(p) not in held]
        if own:
            return Saw(
                f"{len(own)} parameters of the loss are not in the optimizer: {', '.join(own[:5])}", {"missing": own}
            )
    return None


def _optimizers(case: Case) -> Iterator[torch.optim.Optimizer]:
    """All optimizers at hand: the one given, those of a Lightning module, those that a step holds."""
    model: Any = case.model
    left: list[Any] = [case.optimizer, model.configure_optimizers() if is_lightning(model) else None]
    if case.step is not None and inspect.isfunction(case.step):
        known = inspect.getclosurevars(case.step)
        left += [*known.nonlocals.values(), *known.globals.values()]
    while left:
        each = left.pop()
        if isinstance(each, torch.optim.Optimizer):
            yield each
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, tuple | list):
            left += each
