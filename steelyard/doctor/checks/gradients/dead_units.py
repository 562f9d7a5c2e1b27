"""ReLU units that are zero for every row.

A unit whose input is never positive has no gradient and stays dead: after too large a step, a bias far below zero,
or inputs that are not centred (Lu et al. 2019, "Dying ReLU and Initialization", arXiv 1903.06733).

Broken: `nn.init.constant_(layer.bias, -10)`. Mended: biases of zero, a lower learning rate, LeakyReLU.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.gradients.activations import hidden
from steelyard.doctor.checks.wiring.probing import first_batch, woken

MANY = 0.6  # of the units of a layer: in deep networks nearly half may be off for all rows at the start
LEAST = 64  # values of a unit, before it is called dead


@check(
    "SY403",
    "Many units are dead",
    "warning",
    means="they put out zero for every row and get no gradient",
    treat="lower the learning rate, centre the inputs, start biases at zero, or use LeakyReLU or GELU",
)
def dead_units(case: Case) -> Saw | None:
    first_batch(case)
    alive: dict[str, Tensor] = {}
    seen: dict[str, int] = {}
    twin = woken(case)
    with torch.no_grad():
        for batch in case.batches:
            for name, units in hidden(twin, batch, ("relu",)):
                if name in alive and len(alive[name]) != units.shape[1]:
                    continue
                some = (units > 0).any(0)
                alive[name] = alive[name] | some if name in alive else some
                seen[name] = seen.get(name, 0) + len(units)
    if not alive:
        raise NotMeasured("there is no ReLU between layers")
    for name, some in alive.items():
        dead = 1 - float(some.float().mean())
        if dead > MANY and len(some) >= 4 and seen[name] >= LEAST:
            text = f"{dead:.0%} of {len(some)} units behind {name} are zero on all rows"
            return Saw(text, {"layer": name, "dead": dead})
    return None
