"""Gradients that are clipped until nearly nothing is left.

Clipping is meant for the rare step that explodes (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063). A bound far below
what gradients usually measure makes every step the same tiny length.

Broken: `clip_grad_norm_(model.parameters(), 1e-6)`. Mended: a bound of about the usual norm, as 1.0.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.guard import closed_over
from steelyard.doctor.watching import watched

LEAST = 1e-3  # of the norm is left; averaging over some dozens of batches leaves far more


@check(
    "SY409",
    "Gradients are clipped away",
    "warning",
    means="every step is as short as the bound says, whatever the loss",
    treat="print the usual norm of the gradients and clip at about that, or not at all",
)
def clipped_away(case: Case) -> Saw | None:
    if case.step is None:
        raise NotMeasured("no step of your own was given")
    seen = watched(case)
    pairs = [(given, came) for given, came in zip(seen.given, seen.came, strict=True) if came > 0]
    if not pairs:
        raise NotMeasured("the step did not get as far as an optimizer with gradients")
    given, came = pairs[0]
    if given >= LEAST * came or given == 0 or any(hasattr(each, "unscale_") for each in closed_over(case.step)):
        return None
    text = f"backward brings gradients of norm {came:.3g}, the optimizer is given {given:.3g}"
    return Saw(text, {"came": came, "given": given})
