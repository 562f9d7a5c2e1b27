"""Sigmoids and tanhs at their ends.

Where a sigmoid is nearly 0 or 1, or a tanh nearly ±1, its slope is nearly zero, and so is the gradient behind it
(Glorot & Bengio 2010, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", section 3).

Broken: unscaled inputs before a tanh. Mended: standardised inputs, smaller weights, or ReLU.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.gradients.activations import hidden
from steelyard.doctor.checks.wiring.probing import first_batch, woken

MANY, END = 0.65, 0.01  # share of outputs within so little of an end
ENDS = {"sigmoid": 0.0, "tanh": -1.0}


@check(
    "SY404",
    "Activations are saturated",
    "warning",
    means="their slope is nearly zero: what lies before them gets no gradient",
    treat="scale the inputs, start with smaller weights, normalise, or use ReLU or GELU",
)
def saturated(case: Case) -> Saw | None:
    batch = first_batch(case)
    twin = woken(case)
    looked_at = False
    with torch.no_grad():
        for kind, low in ENDS.items():
            for name, units in hidden(twin, batch, (kind,)):
                looked_at = True
                share = float(((units < low + END) | (units > 1 - END)).float().mean())
                if share > MANY:
                    text = f"{share:.0%} of what {name} puts out lies within {END:g} of its ends"
                    return Saw(text, {"layer": name, "share": share})
    if not looked_at:
        raise NotMeasured("there is no sigmoid or tanh between layers")
    return None
