"""Inputs on scales that a network does not learn from.

Initialisations and learning rates are made for inputs of about unit size (LeCun et al. 1998, "Efficient BackProp",
section 4.3). Values in the hundreds, or columns whose sizes differ a thousandfold, make the loss a narrow valley.

Broken: pixels as 0 … 255. Mended: `x = (x / 255 - mean) / std`, with the mean and spread of train.
"""

import torch

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

LARGE = 30.0  # root mean square of inputs: ten times what leaves the usual first layers near their design
APART = 1000.0  # largest over smallest spread of columns


@check(
    "SY102",
    "Inputs are not scaled",
    "warning",
    means="the loss is a narrow valley: training is slow, or diverges at rates that would otherwise do",
    treat="standardise inputs with the mean and spread of train",
)
def scaled_inputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    first = case.batches[0].floats
    if not first:
        raise NotMeasured("no input is a tensor of floating numbers")
    for place in range(len(first)):
        values = torch.cat([b.floats[place].float().flatten(1) for b in case.batches if _rows(b, place)])
        size = float(values.square().mean().sqrt())
        if size > LARGE:
            return Saw(f"the root mean square of inputs is {size:,.0f}; about 1 is usual", {"rms": size})
        spreads = values.std(0)
        spreads = spreads[spreads > 0]
        if 2 <= len(spreads) <= 512 and float(spreads.max() / spreads.min()) > APART and first[place].dim() == 2:
            ratio = float(spreads.max() / spreads.min())
            return Saw(f"spreads of columns differ {ratio:,.0f} fold", {"ratio": ratio})
    return None


def _rows(batch: Batch, place: int) -> bool:
    given = batch.floats
    return len(given) > place and given[place].dim() > 1
