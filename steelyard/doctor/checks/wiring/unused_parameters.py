"""Parameters that get no gradient.

A layer that is made and never called, a `detach()`, `.data`, `argmax` or `torch.tensor(...)` on the way, `no_grad` in
`forward`, or rounding, whose gradient is zero: such weights stay at their initial values.

Broken: `h = self.encoder(x).detach()`. Mended: `h = self.encoder(x)`.
"""

from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

BATCHES = 8  # a part may have no row in some: an expert, a rare embedding
STEPS = ("Round", "Sign", "Floor", "Ceil", "Trunc", "Heaviside")  # their gradient is zero everywhere


@check(
    "SY203",
    "Parameters get no gradient",
    "warning",
    means="these weights stay as they were initialised, whatever the training does",
    treat="look for a layer that is never called, for detach(), .data, no_grad(), argmax, round on the way to the loss",
)
def unused_parameters(case: Case) -> Saw | None:
    names = [name for name, p in case.model.named_parameters() if p.requires_grad]
    if not case.batches or not names:
        raise NotMeasured("there are no train batches, or no parameter is to be trained")
    hooked = any(p._backward_hooks for p in case.model.parameters())  # which a copy of the model would not have
    twin = case if hooked else case.copy()
    twin.model.train()
    reached: set[str] = set()
    moved: set[str] = set()
    flat: set[str] = {"a hook"} if hooked else set()
    for batch in case.batches[:BATCHES]:
        twin.model.zero_grad()
        loss = twin.loss_of(batch).sum()
        if not loss.requires_grad:
            text = "the loss does not depend on any parameter: its graph is cut"
            return Saw(text, {"parameters": len(names)}, "error")
        flat |= _steps(loss)
        loss.backward()  # type: ignore[no-untyped-call]
        held = {n: p.grad for n, p in twin.model.named_parameters() if p.grad is not None}
        reached |= set(held)
        moved |= {n for n, grad in held.items() if bool((grad != 0).any())}
        if moved >= set(names):
            return None
    missing = [name for name in names if name not in reached]
    if missing:
        return Saw(
            f"{len(missing)} of {len(names)} parameters get no gradient: {_shown(missing)}", {"parameters": missing}
        )
    still = [name for name in names if name not in moved]
    if still and flat:
        text = f"{len(still)} of {len(names)} parameters get a gradient of zero through {', '.join(sorted(flat))}"
        return Saw(f"{text}: {_shown(still)}", {"parameters": still})
    return None


def _shown(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _steps(loss: Tensor) -> set[str]:
    """Functions of the graph that move in steps."""
    found, seen, left = set(), set(), [loss.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found |= {step.lower() for step in STEPS if type(node).__name__.startswith(f"{step}Backward")}
        left += [parent for parent, _ in node.next_functions]
    return found
