"""A loss that jumps up and down instead of going down.

A step that is a little too long, or a momentum that is too large, carries weights over the minimum and back. The same
training at a tenth of the rate then gets further in as many steps, and more smoothly.

Broken: `SGD(model.parameters(), lr=1.0, momentum=0.99)`. Mended: `lr=0.1, momentum=0.9`, or a schedule that falls.
"""

import itertools
import math

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import Rehearsal, at_rate, rehearsed

WILD = 3.0  # times as rough as at a tenth of the rate
LEFT = 0.3  # of the loss at the start: below, roughness does no harm
WORSE = 1.25  # times the loss that a tenth of the rate ends with


@check(
    "SY505",
    "The loss oscillates",
    "warning",
    means="steps overshoot: training ends at a higher loss than it could",
    treat="lower the rate or the momentum, let the rate fall over training, use larger batches, clip gradients",
)
def oscillating(case: Case) -> Saw | None:
    own = rehearsed(case)
    if not own.own or case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    if own.steps < 60 or own.broke is not None or not math.isfinite(own.after):
        raise NotMeasured("there was no time for 60 steps, or the loss is not finite")
    late = own.losses[own.steps // 2 :]
    if sum(late) / len(late) < LEFT * abs(own.before):
        return None
    lower = at_rate(case, 0.1)
    if lower.broke is not None or lower.steps < 60 or not all(map(math.isfinite, (*own.losses, *lower.losses))):
        raise NotMeasured("a tenth of the rate could not be tried")
    times = _rough(own) / max(_rough(lower), 1e-12)
    calm = lower.losses[lower.steps // 2 :]
    if times < WILD or sum(late) / len(late) < WORSE * sum(calm) / len(calm):
        return None
    text = f"at {own.rates[0]:g} it moves {times:.1f} times as much from step to step as at a tenth of the rate"
    text += f", and ends at {own.after:.3g} instead of {lower.after:.3g}"
    return Saw(text, {"times": times, "after": own.after, "lower": lower.after})


def _rough(seen: Rehearsal) -> float:
    """The mean size of the change from step to step in the second half."""
    late = seen.losses[seen.steps // 2 :]
    return sum(abs(a - b) for a, b in itertools.pairwise(late)) / max(1, len(late) - 1)
