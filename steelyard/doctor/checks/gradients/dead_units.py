"""ReLU units that are zero for every row.

A unit whose input is never positive has no gradient and stays dead: after too large a step, a bias far below zero,
or inputs that are not centred (Lu et al. 2019, "Dying ReLU and Initialization", arXiv 1903.06733).

Broken: `nn.init.constant_(layer.bias, -10)`. Mended: biases of zero, a lower learning rate, LeakyReLU.
"""

from typing import Any

import torch
from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

MANY = 0.5  # of the units of a layer


@check(
    "SY403",
    "Many units are dead",
    "warning",
    means="they put out zero for every row and get no gradient",
    treat="lower the learning rate, centre the inputs, start biases at zero, or use LeakyReLU or GELU",
)
def dead_units(case: Case) -> Saw | None:
    layers = {name: m for name, m in case.model.named_modules() if isinstance(m, nn.ReLU)}
    if not case.batches or not layers:
        raise NotMeasured("there are no train batches, or no ReLU modules")
    alive: dict[str, torch.Tensor] = {}

    def watch(name: str) -> Any:
        def hook(_: Any, __: Any, out: torch.Tensor) -> None:
            axes = [k for k in range(out.dim()) if k != (1 if out.dim() != 3 else 2)]
            some = (out > 0).any(dim=axes[0]) if len(axes) == 1 else (out > 0).flatten(0, 0).amax(dim=axes)
            alive[name] = alive.get(name, torch.zeros_like(some)) | some

        return hook

    hooks = [m.register_forward_hook(watch(name)) for name, m in layers.items()]
    try:
        case.model.eval()
        with torch.no_grad():
            for batch in case.batches:
                case.outputs(batch)
    finally:
        for hook in hooks:
            hook.remove()
    for name, some in alive.items():
        dead = 1 - float(some.float().mean())
        if dead > MANY and some.numel() >= 4:
            return Saw(
                f"{dead:.0%} of {some.numel()} units behind {name} are zero on all rows", {"layer": name, "dead": dead}
            )
    return None
