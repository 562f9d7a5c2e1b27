"""A loss that does not fall, though the user's own training goes over the same batches again and again.

Batches that were trained on hundreds of times should lose less than before (Goodfellow, Bengio & Courville 2016,
"Deep Learning", section 11.5). Where they do not, at other rates neither, something between loss and weights is cut.

Broken: `loss = criterion(model(x).detach(), y)`. Mended: `loss = criterion(model(x), y)`.
"""

import math

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import at_rate, rehearsed
from steelyard.doctor.skill import skills

LEAST = 0.01  # of the loss: less than any training that works takes off batches it has seen many times
FITTED = 0.9  # of answers right before training: there is little left to fall
EPOCHS = 3


@check(
    "SY504",
    "The loss does not fall",
    "error",
    means="training goes on, and the model does not get better even on what it is trained on",
    treat="look at the other findings first; then print the loss of one batch before and after each line of the step",
)
def loss_falls(case: Case) -> Saw | None:
    own = rehearsed(case)
    if not own.own:
        raise NotMeasured("neither an optimizer nor a step was given")
    if own.steps < 50 or own.epochs < EPOCHS:
        raise NotMeasured("there was no time for 50 steps and three epochs")
    if not math.isfinite(own.fell) or own.fell > LEAST or abs(own.before) < 1e-4:
        return None
    if own.rates[1] > 1.01 * own.rates[0]:
        raise NotMeasured("the rate is still rising in the first steps, as in a warm-up")
    found = skills(case, own.seen[:4])
    if found and all(each.score > FITTED for each in found):
        raise NotMeasured("the model is trained already")
    if case.optimizer is not None and any(at_rate(case, factor).fell > 0.1 for factor in (100.0, 0.01)):
        return None  # the rate is what is wrong: SY502 and SY503 say so
    text = f"{own.steps} steps, {own.epochs:.0f} times over the same rows"
    text += f", take it from {own.before:.4g} to {own.after:.4g}"
    return Saw(text, {"before": own.before, "after": own.after, "steps": own.steps})
