"""Units that start alike.

Units with the same weights get the same gradient and stay the same for ever: a layer of a thousand is worth one.

Broken: `nn.init.zeros_(layer.weight)` in a hidden layer. Mended: torch's default.
"""

import torch
from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY302",
    "Units of a layer start alike",
    "error",
    means="they get the same gradient and never become different",
    treat="start weights at random: leave torch's default, or nn.init.kaiming_normal_",
)
def units_alike(case: Case) -> Saw | None:
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    found = ((name, m) for name, m in case.model.named_modules() if isinstance(m, kinds))
    layers = [(name, m) for name, m in found if len(m.weight) > 1]
    if len(layers) < 2:
        raise NotMeasured("there are fewer than two layers with several units")
    for name, layer in layers[:-1]:  # the last one may start at zero: its inputs differ
        weight = layer.weight.detach().reshape(len(layer.weight), -1)
        if bool(torch.equal(weight, weight[:1].expand_as(weight))):
            return Saw(f"all {len(weight)} units of {name} have the same weights", {"layer": name})
    return None
