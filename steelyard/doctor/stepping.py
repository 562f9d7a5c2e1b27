"""One training step: the user's own `step`, called as its parameters ask for, or zero_grad, backward and step."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, Unusable
from steelyard.doctor.calling import names_of

if TYPE_CHECKING:
    from steelyard.doctor.case import Case

NAMES = {
    "model": ("model", "net", "network", "module"),
    "optimizer": ("optimizer", "optim", "opt"),
    "loss": ("loss", "criterion", "loss_fn", "loss_func", "loss_function", "objective"),
    "batch": ("batch", "data", "sample", "minibatch"),
    "number": ("batch_idx", "batch_index", "index", "idx", "i", "step", "iteration"),
    "inputs": ("x", "xb", "inputs", "input", "images", "features", "X"),
    "target": ("y", "yb", "target", "targets", "labels", "label"),
}


def stepped(case: "Case", batch: Batch, number: int = 0) -> float:
    """Do one training step and give its loss, NaN where the user's step does not return one."""
    if case.step is not None:
        return _number(case.step(*arguments(case.step, case, batch, number)))
    if case.optimizer is None:
        raise Unusable("there is no optimizer, and no step of your own")
    case.optimizer.zero_grad()
    loss = case.loss_of(batch).mean()
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
        case.optimizer.step()
    return float(loss)


def arguments(step: Callable[..., Any], case: "Case", batch: Batch, number: int) -> list[Any]:
    """What a step takes, by the names of its parameters; names that say nothing get the batch, or its parts."""
    single = batch.inputs[0] if isinstance(batch.inputs, tuple) and len(batch.inputs) == 1 else batch.inputs
    parts = {"model": case.model, "optimizer": case.optimizer, "loss": case.loss, "batch": batch.whole}
    parts |= {"number": number, "inputs": single, "target": batch.answer}
    wanted = [p for p in names_of(step) if p.default is p.empty]
    roles = [next((role for role, names in NAMES.items() if p.name in names), None) for p in wanted]
    unknown = roles.count(None)
    rest = [batch.whole] if unknown == 1 else [single, batch.answer]
    if unknown > len(rest):
        known = ", ".join(names[0] for names in NAMES.values())
        raise Unusable(f"a step takes (batch), or any of {known}; yours takes {', '.join(p.name for p in wanted)}")
    fresh = iter(rest)
    return [next(fresh) if role is None else parts[role] for role in roles]


def _number(found: Any) -> float:
    if isinstance(found, Mapping):
        found = found.get("loss")
    if isinstance(found, tuple | list):
        found = found[0] if found else None
    if isinstance(found, Tensor):
        return float(found.detach().float().mean())
    return float(found) if isinstance(found, int | float) else float("nan")


def twin_optimizer(optimizer: torch.optim.Optimizer, pairs: Mapping[int, torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer, fresh and with its settings, for the parameters that `pairs` gives for the ids of its own."""
    groups = []
    for group in optimizer.param_groups:
        held = [pairs[id(p)] for p in group["params"] if id(p) in pairs]
        if held:
            groups.append({name: value for name, value in group.items() if name != "params"} | {"params": held})
    if not groups:
        raise Unusable("the optimizer holds none of the model's parameters")
    kind: Any = type(optimizer)
    return kind(groups, **({"lr": groups[0]["lr"]} if "lr" in groups[0] else {}))  # type: ignore[no-any-return]
