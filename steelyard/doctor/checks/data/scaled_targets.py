"""Values to be predicted that are far from unit size.

A last layer starts near zero. Targets in the thousands make the first losses huge and the gradients with them;
small ones hide in a loss that looks well from the start.

Broken: prices in cents. Mended: `y = (y - mean) / spread`, undone after predicting.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

LARGE, SMALL = 50.0, 0.002  # root mean square of targets


@check(
    "SY106",
    "Targets are not scaled",
    "warning",
    means="training spends its first epochs on reaching their size, or the loss seems low from the start",
    treat="standardise targets with the mean and spread of train, and undo it after predicting",
)
def scaled_targets(case: Case) -> Saw | None:
    found = [term for batch in case.batches[:8] for term in case.terms(batch) if term.kind == "values"]
    if not found:
        raise NotMeasured("the loss is not known to compare values")
    y = torch.cat([term.target.float().reshape(-1) for term in found])
    size = float(y.square().mean().sqrt())
    if SMALL <= size <= LARGE or size != size:
        return None
    return Saw(f"their root mean square is {size:.3g}; about 1 is usual", {"rms": size})
