"""Gradients that are not those of the loss.

The gradient of the loss is compared with central differences in double precision, on a few weights of every layer:
a backward of one's own that is wrong shows, a hook that changes gradients, and `.data` on one of several ways to the
loss. `detach()` does the same and is often meant (a target network, a codebook), which makes it a tip.

Broken: `return x + self.branch(x).data`. Mended: `return x + self.branch(x)`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.gradients.own_functions import functions_of, on_purpose, recorded
from steelyard.doctor.checks.wiring.probing import few_rows, first_batch
from steelyard.doctor.finding import Severity
from steelyard.doctor.gradient_check import compared

SAMPLES, ROWS = 12, 8  # weights of each parameter, rows of the batch
FEW, FEWER = 6, 4  # parameters, and weights of each, where nothing could make a gradient wrong
TIME = 0.15  # of what is left, at the most
WIDTHS, AGREE = (1e-5, 1e-4, 1e-3), 0.05  # steps to a weight, and how near their slopes must be to mean anything
SMALL = 1e-5  # of the largest gradient: what is smaller does not matter, and drowns in rounding
APART = 0.02  # of the gradient: less is rounding in single precision somewhere inside
SURE = {".data", "register_hook()"}  # nobody means a gradient to be wrong by these


@check(
    "SY405",
    "Gradients are not those of the loss",
    "error",
    means="steps do not go downhill: training is slow, or goes nowhere",
    treat="look at backward() of your autograd.Function, detach(), .data and hooks; steelyard.doctor.check_layer helps",
)
def own_backward(case: Case) -> Saw | None:
    batch = few_rows(first_batch(case), ROWS).in_precision(torch.double)
    twin = case.copy()
    twin.model.double().eval()
    loss, cuts = _lost(twin, batch)
    if not loss.requires_grad or not bool(torch.isfinite(loss)):
        raise NotMeasured("the loss has no graph, or is not finite")
    if loss.dtype != torch.double:
        raise NotMeasured("the loss is not computed in double precision")
    if _meant(twin, batch, loss):
        raise NotMeasured("a backward is meant to be another than its forward's")
    named = [(name, p) for name, p in twin.model.named_parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    held = [(name, p, grad) for (name, p), grad in zip(named, grads, strict=True) if grad is not None]
    largest = max((float(grad.abs().max()) for _, _, grad in held if grad.numel()), default=0.0)
    suspect = bool(cuts) or bool(functions_of(loss)) or any(m._backward_hooks for m in twin.model.modules())
    if not suspect:
        held = held[:: -(-len(held) // FEW) or 1]  # what torch alone has derived is right: a few are a check of that
    end = case.left() * (1 - TIME)
    for name, p, grad in held:
        if case.left() < end:
            raise NotMeasured("there was no time to look at every layer")
        value = _value_at(twin, batch, p)
        found = compared(value, grad, p.detach().clone(), SAMPLES if suspect else FEWER)
        if found.grade == "wrong" and found.looked_at >= 3:
            index, mine, _ = found.worst
            measured = _surely(value, p, index)
            size = 0.0 if measured is None else max(abs(mine), abs(measured))
            if measured is None or size < SMALL * largest or abs(mine - measured) <= APART * size:
                continue
            text = f"{name}[{index}] has the gradient {mine:.3g}, differences of the loss say {measured:.3g}"
            grave: Severity | None = "tip" if cuts and not cuts & SURE else None
            more = f"; {' and '.join(sorted(cuts))} changes it" if cuts else ""
            return Saw(text + more, {"parameter": name, "error": found.error, "cuts": sorted(cuts)}, grave)
    return None


def _value_at(twin: Case, batch: Batch, p: torch.nn.Parameter) -> Callable[[Tensor], float]:
    """The loss as a function of one parameter."""

    def value(point: Tensor) -> float:
        held = p.data
        p.data = point
        try:
            with torch.no_grad():
                return float(twin.loss_of(batch).sum())
        finally:
            p.data = held

    return value


def _surely(value: Callable[[Tensor], float], p: Tensor, index: int) -> float | None:
    """The slope at one weight by several steps; None where they disagree: rounding, or a kink."""
    slopes = []
    for step in WIDTHS:
        moved = torch.zeros(p.numel(), dtype=p.dtype, device=p.device)
        moved[index] = step
        point, moved = p.detach().clone(), moved.reshape(p.shape)
        slopes.append((value(point + moved) - value(point - moved)) / (2 * step))
    for one, other in pairwise(slopes):
        if abs(one - other) <= AGREE * max(abs(one), abs(other)):
            return other
    return None


CUTS = ("detach", "detach_", "item", "numpy", "tolist", ".data", "register_hook")


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
        if name in CUTS and args and args[0].requires_grad:
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
