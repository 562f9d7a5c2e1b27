"""Gradients that are not those of the loss.

The gradient of the loss is compared with central differences in double precision, on a few weights of every layer:
a backward of one's own that is wrong shows, a hook that changes gradients, and `.data` on one of several ways to the
loss. `detach()` does the same and is often meant (a target network, a codebook), which makes it a tip.

Broken: `return x + self.branch(x).data`. Mended: `return x + self.branch(x)`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.gradients.own_functions import functions_of, on_purpose, recorded
from steelyard.doctor.checks.wiring.probing import first_batch
from steelyard.doctor.finding import Severity
from steelyard.doctor.gradient_check import compared

SAMPLES, ROWS = 12, 8  # weights of each parameter, rows of the batch
TIME = 0.3  # of what is left, at the most


@check(
    "SY405",
    "Gradients are not those of the loss",
    "error",
    means="steps do not go downhill: training is slow, or goes nowhere",
    treat="look at backward() of your autograd.Function, detach(), .data and hooks; steelyard.doctor.check_layer helps",
)
def own_backward(case: Case) -> Saw | None:
    batch = first_batch(case).rows(ROWS).in_precision(torch.double)
    twin = case.copy()
    twin.model.double().eval()
    loss, cuts = _lost(twin, batch)
    if not loss.requires_grad or not bool(torch.isfinite(loss)):
        raise NotMeasured("the loss has no graph, or is not finite")
    if _meant(twin, batch, loss):
        raise NotMeasured("a backward is meant to be another than its forward's")
    named = [(name, p) for name, p in twin.model.named_parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    end = case.left() * (1 - TIME)
    for (name, p), grad in zip(named, grads, strict=True):
        if grad is None:
            continue
        if case.left() < end:
            raise NotMeasured("there was no time to look at every layer")

        def value(point: torch.Tensor, p: torch.nn.Parameter = p) -> float:
            held = p.data
            p.data = point
            try:
                with torch.no_grad():
                    return float(twin.loss_of(batch).sum())
            finally:
                p.data = held

        found = compared(value, grad, p.detach().clone(), SAMPLES)
        if found.grade == "wrong" and found.looked_at >= 3:
            index, mine, measured = found.worst
            text = f"{name}[{index}] has the gradient {mine:.3g}, differences of the loss say {measured:.3g}"
            grave: Severity | None = "tip" if cuts and ".data" not in cuts else None
            more = f"; {' and '.join(sorted(cuts))} cuts part of it off" if cuts else ""
            return Saw(text + more, {"parameter": name, "error": found.error, "cuts": sorted(cuts)}, grave)
    return None


class _Cuts(TorchFunctionMode):
    """Notes how the graph is cut while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call, and note what takes numbers out of a graph."""
        name = getattr(func, "__name__", "")
        if name == "__get__" and getattr(func, "__self__", None) is Tensor.data:
            name = ".data"
        if name in ("detach", "detach_", "item", "numpy", "tolist", ".data") and args and args[0].requires_grad:
            self.found.add(name if name == ".data" else f"{name}()")
        return func(*args, **(kwargs or {}))


def _lost(twin: Case, batch: Batch) -> tuple[Tensor, set[str]]:
    """The loss in double precision, and how its graph is cut on the way."""
    mode = _Cuts()
    try:
        with mode:
            loss = twin.loss_of(batch)
    except RuntimeError as error:
        if "dtype" not in str(error) and "type" not in str(error):
            raise
        raise NotMeasured("the model does not run in double precision") from error
    return loss.sum(), mode.found


def _meant(twin: Case, batch: Batch, loss: Tensor) -> bool:
    """Whether a function of the user's own has another backward on purpose."""
    kinds = functions_of(loss)
    with recorded(kinds) as calls:
        if kinds:
            twin.loss_of(batch)
    return any(on_purpose(kind, given) for kind in kinds for given in calls[kind][:1])
