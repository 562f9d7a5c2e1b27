"""A learning rate that makes the loss rise, or keeps it from falling.

The user's own training is rehearsed on the first batches. A loss that ends above where it began, or that a tenth or a
hundredth of the rate brings much further down, means that steps leap over the minimum.

Broken: `SGD(model.parameters(), lr=10)`. Mended: a tenth or a hundredth of it; `steelyard lr-range` looks for one.
"""

import math

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import at_rate, rehearsed

ROSE = 1.5  # times the loss at the start: no batch-to-batch noise, for the same batches are compared
STUCK, BETTER = 0.5, 0.5  # of the loss is left at the end, and a lower rate leaves half of that or less
LOWER = (0.1, 0.01, 1e-4)


@check(
    "SY502",
    "The learning rate is too high",
    "error",
    means="each step leaps over the minimum: the loss rises, becomes NaN, or stays where it is",
    treat="lower the rate tenfold, warm up, or clip gradients",
)
def learning_rate(case: Case) -> Saw | None:
    own = rehearsed(case)
    if not own.own or case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    if own.steps < 20 and own.broke is None:
        raise NotMeasured("there was no time for 20 steps")
    bad = own.broke is not None or not math.isfinite(own.after) or own.after > ROSE * max(own.before, 1e-3)
    if not math.isfinite(own.before):
        raise NotMeasured("the loss is not finite before the first step")
    if not bad and own.after <= STUCK * own.before:
        return None
    for factor in LOWER:
        lower = at_rate(case, factor)
        gained = lower.broke is None and lower.after < (own.before if bad else BETTER * own.after)
        if gained and lower.after < own.before:
            end = "NaN" if own.broke or not math.isfinite(own.after) else f"{own.after:.3g}"
            rate = own.rates[0]
            text = f"after {own.steps} steps at {rate:g} the loss is {end}, it was {own.before:.3g}"
            text += f"; at {rate * factor:g} it is {lower.after:.3g}"
            return Saw(text, {"rate": rate, "first": own.before, "last": end, "lower": lower.after})
    return None
