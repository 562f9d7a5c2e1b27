"""A training step that does not move the weights.

`optimizer.step()` that is never called, gradients that are zeroed between `backward` and `step`, a rate of zero or one
below the precision of the weights: the loss is computed and nothing is learnt.

Broken: `loss.backward(); optimizer.zero_grad(); optimizer.step()`. Mended: `zero_grad` first, then `backward`, `step`.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.watching import watched


@check(
    "SY408",
    "A step does not move the weights",
    "error",
    means="training runs and the model stays as it was",
    treat="look that backward() and optimizer.step() are called in this order, on this model, at a rate above zero",
)
def moves(case: Case) -> Saw | None:
    if case.optimizer is not None and case.step is None:
        held = {id(p) for group in case.optimizer.param_groups for p in group["params"]}
        if not any(id(p) in held for p in case.model.parameters()):
            raise NotMeasured("the optimizer holds none of the model's parameters")
    seen = watched(case)
    names = [name for name, p in case.model.named_parameters() if p.requires_grad]
    if seen.moved:
        still = sorted(seen.brought - seen.moved)
        if not still or (case.step is not None and len(still) < len(seen.brought) / 2):
            return None
        text = f"{len(still)} of {len(names)} parameters get gradients and stay where they are: {', '.join(still[:4])}"
        return Saw(text, {"still": still}, "warning")
    if not seen.backwards:
        why = "and backward() reaches none of them"
    elif not seen.steps:
        why = "backward() is called, optimizer.step() is not"
    elif max(seen.given, default=0.0) == 0:
        why = "the optimizer steps with gradients of zero"
    else:
        why = "the optimizer steps, at a rate that is zero or too small to show"
    text = f"after {seen.calls} steps none of {len(names)} parameters has moved: {why}"
    return Saw(text, {"calls": seen.calls, "backward passes": seen.backwards, "optimizer steps": seen.steps})
