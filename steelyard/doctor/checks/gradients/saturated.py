"""Sigmoids and tanhs at their ends.

Where a sigmoid is nearly 0 or 1, or a tanh nearly ±1, its slope is nearly zero, and so is the gradient behind it
(Glorot & Bengio 2010, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", section 3).

Broken: unscaled inputs before a tanh. Mended: standardised inputs, smaller weights, or ReLU.
"""

from typing import Any

import torch
from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

MANY, END = 0.8, 0.01  # share of outputs within so little of an end


@check(
    "SY404",
    "Activations are saturated",
    "warning",
    means="their slope is nearly zero: what lies before them gets no gradient",
    treat="scale the inputs, start with smaller weights, normalise, or use ReLU or GELU",
)
def saturated(case: Case) -> Saw | None:
    ends = {nn.Sigmoid: 0.0, nn.Tanh: -1.0}
    layers = {name: m for name, m in case.model.named_modules() if type(m) in ends}
    if not case.batches or not layers:
        raise NotMeasured("there are no train batches, or no Sigmoid and Tanh modules")
    shares: dict[str, float] = {}

    def watch(name: str, low: float) -> Any:
        def hook(_: Any, __: Any, out: torch.Tensor) -> None:
            shares[name] = float(((out < low + END) | (out > 1 - END)).float().mean())

        return hook

    hooks = [m.register_forward_hook(watch(name, ends[type(m)])) for name, m in layers.items()]
    try:
        case.model.eval()
        with torch.no_grad():
            case.outputs(case.batches[0])
    finally:
        for hook in hooks:
            hook.remove()
    for name, share in shares.items():
        if share > MANY:
            text = f"{share:.0%} of what {name} puts out lies within {END:g} of its ends"
            return Saw(text, {"layer": name, "share": share})
    return None
