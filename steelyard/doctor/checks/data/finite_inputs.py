"""Inputs and targets that are not numbers.

One NaN or infinity in a batch makes the loss, every gradient and then every weight NaN.

Broken: `x = torch.log(x)` on values that hold zeros. Mended: `x = torch.log1p(x)`, or leave such rows out.
"""

import torch

from steelyard.doctor.batch import tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY101",
    "Inputs or targets are not finite",
    "error",
    means="one NaN or infinity spreads to the loss and to every weight",
    treat="find where it arises in the preprocessing; fill or leave out those rows",
)
def finite_inputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    for number, batch in enumerate(case.batches):
        given = [*batch.floats, *(t for t in tensors(batch.answer) if t.is_floating_point())]
        bad = sum(int((~torch.isfinite(each)).sum()) for each in given)
        if bad:
            return Saw(
                f"{bad} values of train batch {number + 1} are NaN or infinite", {"batch": number, "values": bad}
            )
    return None
