"""Parameters that get no gradient.

A layer that is made and never called, a `detach()` or `.data` on the way, or `requires_grad=False` by mistake: such
weights stay at their initial values.

Broken: `h = self.encoder(x).detach()`. Mended: `h = self.encoder(x)`.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY203",
    "Parameters get no gradient",
    "warning",
    means="these weights stay as they were initialised, whatever the training does",
    treat="look for a layer that is never called, for detach(), .data, no_grad() or numpy() on the way to the loss",
)
def unused_parameters(case: Case) -> Saw | None:
    names = [name for name, p in case.model.named_parameters() if p.requires_grad]
    if not case.batches or not names:
        raise NotMeasured("there are no train batches, or no parameter is to be trained")
    twin = case.copy()
    twin.model.train()
    seen: set[str] = set()
    for batch in case.batches[:3]:
        twin.model.zero_grad()
        loss = twin.loss_of(batch).sum()
        if not loss.requires_grad:
            return Saw(
                "the loss does not depend on any parameter: its graph is cut", {"parameters": len(names)}, "error"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        seen |= {n for n, p in twin.model.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
    held = {n for n, p in twin.model.named_parameters() if p.requires_grad and p.grad is None}
    missing = [name for name in names if name in held and name not in seen]
    if not missing:
        return None
    shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return Saw(f"{len(missing)} of {len(names)} parameters get no gradient: {shown}", {"parameters": missing})
