"""Columns that hold one value only.

A column that was filled, clipped or divided away says nothing, and standardising it divides by zero.

Broken: `x = (x > 255).float()` on pixels of 0 … 255. Mended: the threshold that was meant.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.finding import Severity

MANY = 0.5  # of the columns: a few constant ones, as border pixels, are usual


@check(
    "SY104",
    "Inputs are constant",
    "warning",
    means="what does not vary cannot tell rows apart",
    treat="look at what the preprocessing leaves of the inputs, a column at a time",
)
def constant_inputs(case: Case) -> Saw | None:
    if not case.batches or not case.batches[0].floats:
        raise NotMeasured("there are no train batches with floating inputs")
    given = [batch.floats[0] for batch in case.batches]
    values = torch.cat([each.float().reshape(len(each), -1) for each in given if each.shape[1:] == given[0].shape[1:]])
    if len(values) < 16:
        raise NotMeasured("fewer than 16 rows were looked at")
    share = float((values.max(0).values == values.min(0).values).float().mean())
    if share <= MANY:
        return None
    grave: Severity | None = "error" if share == 1 else None
    return Saw(f"{share:.0%} of {values.shape[1]} inputs have one value on {len(values)} rows", {"share": share}, grave)
