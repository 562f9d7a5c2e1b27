"""Values to be predicted that are far from unit size.

A last layer starts near zero. Targets in the thousands make the first losses huge and the gradients with them;
small ones hide in a loss that looks well from the start, and a large target among several is all that the loss sees.
A model that brings its outputs to the size of the targets itself does well.

Broken: prices in cents. Mended: `y = (y - mean) / spread`, undone after predicting.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import Term

LARGE, SMALL = 50.0, 0.002  # root mean square of targets
CENTRE = 10.0  # spreads between zero and the mean, from which the offset is what is learnt first
APART = 100.0  # fold, between the spreads of several targets: the loss is ten thousand fold apart
REACHED, NEAR = 0.02, 3.0  # spread of outputs against that of targets; spreads between their means
COLUMNS = 64


@check(
    "SY106",
    "Targets are not scaled",
    "warning",
    means="training spends its first epochs on reaching their size, or the loss seems low from the start",
    treat="standardise targets with the mean and spread of train, and undo it after predicting",
)
def scaled_targets(case: Case) -> Saw | None:
    case.model.eval()
    with torch.no_grad():
        listed = [[t for t in case.terms(batch) if t.kind == "values"] for batch in case.batches[:8]]
    if not listed or not min(map(len, listed)):
        raise NotMeasured("the loss is not known to compare values")
    for place in range(min(map(len, listed))):
        same = [each[place] for each in listed]
        y, out = (torch.cat([t.reshape(len(t), -1).float() for t in side]) for side in _fitting(same))
        if not bool(torch.isfinite(y).all()):
            raise NotMeasured("targets are not finite")
        if (saw := _one(y, out)) is not None:
            return saw
    return None


def _fitting(same: list[Term]) -> tuple[list[Tensor], list[Tensor]]:
    kept = [t for t in same if t.target.dim() and t.target.shape[1:] == same[0].target.shape[1:]]
    kept = [t for t in kept if t.out.dim() and t.out.shape[1:] == same[0].out.shape[1:]]
    return [t.target for t in kept], [t.out for t in kept]


def _one(y: Tensor, out: Tensor) -> Saw | None:
    """What is wrong with the targets (rows, columns) of one term."""
    size, spread, mean = float(y.square().mean().sqrt()), float(y.std()), float(y.mean())
    if spread == 0 or size != size:
        return None
    ready = abs(float(out.mean()) - mean) <= NEAR * spread and REACHED <= float(out.std()) / spread <= 1 / REACHED
    if (size > LARGE or size < SMALL) and not ready:
        return Saw(f"their root mean square is {size:.3g}; about 1 is usual", {"rms": size})
    if abs(mean) > max(CENTRE * spread, 1.0) and abs(float(out.mean()) - mean) > NEAR * spread:
        return Saw(f"they lie at {mean:.3g} ± {spread:.2g}, far from zero", {"mean": mean, "spread": spread})
    spreads = y.std(0)
    if 2 <= len(spreads) <= COLUMNS and float(spreads.min()) > 0 and y.shape == out.shape:
        ratio = float(spreads.max() / spreads.min())
        outs = out.std(0) / spreads
        if ratio > APART and float(outs.max() / outs.min().clamp(min=1e-12)) > APART / 10:
            return Saw(f"spreads of the {len(spreads)} targets differ {ratio:,.0f} fold", {"ratio": ratio})
    return None
