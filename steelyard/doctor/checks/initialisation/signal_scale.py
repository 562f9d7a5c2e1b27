"""Signals that vanish, or explode, on their way forward.

What tells one row from another is multiplied by each layer: weights too small shrink it to nothing, weights too large
blow it up, saturating units flatten it (Glorot & Bengio 2010; He et al. 2015, arXiv 1502.01852, section 2.2). What is
measured is how far a layer's outputs differ from row to row, as a share of the first layer's.

Broken: `nn.init.normal_(layer.weight, std=1e-3)` in six layers. Mended: `nn.init.kaiming_normal_(layer.weight)`.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, outs, woken

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)
VANISHED = 1e-4  # ten plain ReLU layers with torch's own initial weights stay above
CUT = 1e-5  # of the last layer's spread: no layer of small weights shrinks it so far at once
EXPLODED = 1e3  # thirty residual blocks without normalisation stay below


@check(
    "SY303",
    "Signals vanish or explode on their way forward",
    "warning",
    means="rows look alike to the last layers, or numbers grow out of bounds: learning starts late or never",
    treat="use nn.init.kaiming_normal_ or the default, normalisation, residual connections, ReLU instead of sigmoid",
)
def signal_scale(case: Case) -> Saw | None:
    batch = first_batch(case)
    if batch.many < 3:
        raise NotMeasured("a batch holds fewer than three rows")
    twin = woken(case)
    names: dict[nn.Module, str] = {m: name for name, m in twin.model.named_modules() if isinstance(m, LAYERS)}
    spreads: dict[str, float] = {}

    def watch(module: nn.Module, _: Any, out: Any) -> None:
        if isinstance(out, Tensor) and out.dim() > 1 and len(out) == batch.many and names[module] not in spreads:
            spreads[names[module]] = float(out.double().std(0).square().mean().sqrt())

    handles = [module.register_forward_hook(watch) for module in names]
    try:
        with torch.no_grad():
            out = outs(twin, batch)[0]
    finally:
        for handle in handles:
            handle.remove()
    told = [(name, spread) for name, spread in spreads.items() if spread > 0 and spread == spread]
    if len(told) < 3 or out.dim() == 0 or len(out) != batch.many:
        raise NotMeasured("fewer than three layers put out a row for each row")
    (first, start), (last, end) = told[0], told[-1]
    ratio = end / start
    if VANISHED <= ratio <= EXPLODED:
        return None
    if any(b < CUT * a for (_, a), (_, b) in pairwise(told)):
        raise NotMeasured("a single step takes nearly everything away, as a choice among codes does")
    word = "vanish" if ratio < VANISHED else "explode"
    text = f"they {word}: from row to row {last} differs by {end:.2g}, {first} by {start:.2g}"
    return Saw(text, {"ratio": ratio, "spreads": dict(told[:50])})
