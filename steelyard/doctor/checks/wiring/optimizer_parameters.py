"""Parameters that the optimizer does not hold.

An optimizer that was made before a layer was added or replaced, or for a part of the model, trains only what it was
given.

Broken: `optimizer = Adam(model.head.parameters())`. Mended: `optimizer = Adam(model.parameters())`.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY204",
    "Parameters are not in the optimizer",
    "error",
    means="they get gradients and are never moved",
    treat="make the optimizer after the model is complete, with model.parameters(); freeze on purpose by requires_grad",
)
def optimizer_parameters(case: Case) -> Saw | None:
    if case.optimizer is None:
        raise NotMeasured("no optimizer was given")
    held = {id(p) for group in case.optimizer.param_groups for p in group["params"]}
    mine = {name: p for name, p in case.model.named_parameters() if p.requires_grad}
    if not mine:
        raise NotMeasured("no parameter is to be trained")
    missing = [name for name, p in mine.items() if id(p) not in held]
    if not missing:
        return None
    if len(missing) == len(mine):
        return Saw(
            "the optimizer holds none of the model's parameters: it belongs to another model", {"missing": missing}
        )
    shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return Saw(f"{len(missing)} of {len(mine)} parameters are not in the optimizer: {shown}", {"missing": missing})
