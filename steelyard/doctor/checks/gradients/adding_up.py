"""Gradients that add up from step to step.

`backward` adds to `.grad`. Without `zero_grad` each step goes along the sum of all gradients so far, which soon has
little to do with the present batch.

Broken: `loss.backward(); optimizer.step()`. Mended: `optimizer.zero_grad(); loss.backward(); optimizer.step()`.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.watching import watched


@check(
    "SY407",
    "Gradients add up over steps",
    "error",
    means="steps follow the sum of all gradients so far: training is unstable and ends worse",
    treat="call optimizer.zero_grad() once for each optimizer.step(), before backward()",
)
def adding_up(case: Case) -> Saw | None:
    if case.step is None:
        raise NotMeasured("no step of your own was given: what zeroes gradients cannot be seen")
    seen = watched(case)
    if not seen.first_after:
        raise NotMeasured(f"{seen.calls} calls of the step held no backward pass after a step of the optimizer")
    if not seen.leftover:
        return None
    text = f"{seen.leftover} of {seen.first_after} backward passes after a step found the gradients of before"
    return Saw(text, {"leftover": seen.leftover, "backward passes": seen.first_after})
