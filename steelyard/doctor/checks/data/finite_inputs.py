"""Inputs and targets that are not numbers.

One NaN or infinity in a batch makes the loss, every gradient and then every weight NaN. In half precision values above
65,504 become infinite.

Broken: `x = torch.log(x)` on values that hold zeros. Mended: `x = torch.log1p(x)`, or leave such rows out.
"""

import torch

from steelyard.doctor.batch import tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import named


@check(
    "SY101",
    "Inputs or targets are not finite",
    "error",
    means="one NaN or infinity spreads to the loss and to every weight; in dev, to the score",
    treat="find where it arises in the preprocessing; fill or leave out those rows",
)
def finite_inputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    for side, batches in (("train", case.batches), ("dev", case.dev_batches), ("test", case.test_batches)):
        for number, batch in enumerate(batches):
            listed = [*named(batch).items(), *(("the target", each) for each in tensors(batch.answer))]
            for name, each in listed:
                if not each.is_floating_point():
                    continue
                bad = ~torch.isfinite(each)
                if (count := int(bad.sum())) == 0 or _mask(each):
                    continue
                kind = "NaN" if bool(torch.isnan(each).any()) else "infinite"
                half = " (half precision ends at 65,504)" if each.dtype == torch.float16 and kind == "infinite" else ""
                text = f"{count} values of {name} in {side} batch {number + 1} are {kind}{half}"
                return Saw(text, {"side": side, "batch": number, "values": count, "input": name})
    return None


def _mask(each: torch.Tensor) -> bool:
    """Whether it is a mask that is added to attention: zeros and minus infinity."""
    return bool(((each == 0) | (each == -torch.inf)).all())
