"""A learning rate so low that nothing is learnt in any reasonable time.

The user's own training is rehearsed, and again with ten, a hundred and ten thousand times the rate. Where the loss
hardly falls at the user's rate and falls well at a higher one, the rate is what holds training back.

Broken: `Adam(model.parameters(), lr=1e-7)`. Mended: `lr=1e-3`; `steelyard lr-range` looks for one.
"""

import math

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import EARLY, at_rate, rehearsed

HARDLY = 0.06  # of what a higher rate takes off the loss
GONE = 1e-3  # of the rate is left after some steps: a schedule that counts batches as epochs
WELL = 0.3  # of the loss, taken off by the higher rate
HIGHER = (10.0, 100.0, 1e4)


@check(
    "SY503",
    "The learning rate is too low",
    "warning",
    means="weights hardly move: it would take many times as long to get anywhere",
    treat="raise the rate tenfold until the loss falls well, then stop short of where it rises",
)
def low_rate(case: Case) -> Saw | None:
    own = rehearsed(case)
    if not own.own or case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    if own.steps >= EARLY and own.early_rate < GONE * own.rates[0]:
        text = f"the rate falls from {own.rates[0]:g} to {own.early_rate:.3g} within {EARLY} steps"
        return Saw(text, {"rate": own.rates[0], "early": own.early_rate})
    if own.steps < 50 or own.broke is not None:
        raise NotMeasured("there was no time for 50 steps, or the loss is not finite")
    if own.rates[1] > 1.01 * own.rates[0]:
        raise NotMeasured("the rate is still rising in the first steps, as in a warm-up")
    if own.rates[0] == 0 or own.fell > WELL:
        return None
    for factor in HIGHER:
        higher = at_rate(case, factor)
        if higher.broke is not None or not math.isfinite(higher.fell) or higher.fell < WELL:
            continue
        if own.fell > HARDLY * higher.fell:
            return None
        text = f"{own.steps} steps at {own.rates[0]:g} take {max(0.0, own.fell):.1%} off the loss"
        text += f", at {own.rates[0] * factor:g} they take {higher.fell:.0%}"
        return Saw(text, {"rate": own.rates[0], "fell": own.fell, "factor": factor, "higher": higher.fell})
    return None
