"""What layers with parameters are given, in the order in which the model calls them."""

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case


def reaching(case: Case, batch: Batch) -> list[tuple[nn.Module, Tensor]]:
    """Layers (innermost modules that hold parameters) with the first tensor that they are given, in eval mode."""
    met: list[tuple[nn.Module, Tensor]] = []

    def keep(module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        given = next(iter(tensors([*args, *kwargs.values()])), None)
        if given is not None:
            met.append((module, given.detach()))

    owners = [m for m in case.model.modules() if _holds(m) and not any(map(_holds, list(m.modules())[1:]))]
    handles = [m.register_forward_pre_hook(keep, with_kwargs=True) for m in owners]
    case.model.eval()
    try:
        with torch.no_grad():
            case.put_out(batch)
    finally:
        for handle in handles:
            handle.remove()
    return met


def _holds(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
