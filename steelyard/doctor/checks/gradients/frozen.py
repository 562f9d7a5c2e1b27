"""Layers that are frozen though they were never trained.

Freezing keeps what was learnt before. A frozen layer whose weights are still those of torch's initialisation keeps
noise; a frozen last layer cannot learn the task at all.

Broken: `for p in model.parameters(): p.requires_grad = False`, the new head among them. Mended: freeze the body alone.
"""

import math

import torch
from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

FEWEST = 32  # weights: fewer do not show how they are distributed
SMALL = 0.02  # spread with which transformers begin (Radford et al. 2018)
NEAR = 0.1  # of the spread and of the bound that an initialisation has
WITH_WEIGHTS = (nn.Linear, nn.modules.conv._ConvNd, nn.Embedding)


@check(
    "SY410",
    "Layers are frozen that were never trained",
    "warning",
    means="they stay random: what they say is noise that the rest has to work around",
    treat="freeze only what was trained before; set requires_grad = True for new layers",
)
def frozen(case: Case) -> Saw | None:
    layers = [(n, m) for n, m in case.model.named_modules() if isinstance(m, WITH_WEIGHTS)]
    if not any(p.requires_grad for p in case.model.parameters()):
        raise NotMeasured("everything is frozen")
    still = [(name, layer) for name, layer in layers if not layer.weight.requires_grad]
    if not still:
        return None
    fresh = [name for name, layer in still if as_initialised(layer)]
    if fresh:
        text = f"{len(fresh)} of {len(still)} frozen layers are as torch initialises them: {', '.join(fresh[:4])}"
        return Saw(text, {"fresh": fresh})
    share = sum(m.weight.numel() for _, m in still) / sum(m.weight.numel() for _, m in layers)
    return Saw(f"{share:.0%} of the weights are frozen", {"share": share}, "tip")


def as_initialised(layer: nn.Module) -> bool:
    """Whether weights are spread as torch's own initialisations spread them: evenly within a bound, or normally."""
    weight = layer.weight.detach().float()  # type: ignore[operator]
    if weight.numel() < FEWEST:
        return False
    if isinstance(layer, nn.Embedding):
        return abs(float(weight.std()) - 1) < NEAR and abs(float(weight.mean())) < NEAR and _normal(weight)
    fan_in = weight[0].numel()
    bound = 1 / math.sqrt(fan_in)
    even = float(weight.abs().max()) <= bound * 1.0001 and abs(float(weight.std()) / (bound / math.sqrt(3)) - 1) < NEAR
    bias = getattr(layer, "bias", None)
    zero = bias is not None and not bool(bias.any())
    bounded = bias is None or zero or float(bias.abs().max()) <= bound * 1.0001
    small = abs(float(weight.std()) / SMALL - 1) < 0.05 and _normal(weight) and (bias is None or zero)
    kaiming = abs(float(weight.std()) / math.sqrt(2 / fan_in) - 1) < NEAR and _normal(weight) and zero
    return (even and bounded) or kaiming or small


def _normal(weight: Tensor) -> bool:
    """Whether kurtosis is that of a normal distribution, within what so many weights leave open."""
    plain = (weight - weight.mean()) / weight.std()
    return (
        abs(float(plain.pow(4).mean()) - 3) < 4 * math.sqrt(24 / weight.numel()) + 0.1
        if bool(torch.isfinite(plain).all())
        else False
    )
