"""A loss between (N, 1) and (N,), which broadcasts to (N, N).

Every prediction is then compared with every target: the model learns the mean of the targets and nothing else. Losses
of torch's are seen by their shapes, one's own by their subtraction, or by their value at outputs of the other shape.

Broken: `F.mse_loss(model(x), y)` with outputs (N, 1) and y (N,). Mended: `F.mse_loss(model(x).squeeze(1), y)`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch

DIFFERENCES = ("sub", "__sub__", "__rsub__", "rsub", "subtract", "sub_", "eq", "__eq__")

PRODUCTS = ("mul", "__mul__", "__rmul__", "multiply")  # of the target itself only: a weight may be meant for each


@check(
    "SY202",
    "The loss broadcasts outputs against targets",
    "error",
    means="every prediction is compared with every target: only their mean can be learnt",
    treat="give outputs and targets the same shape, as outputs.squeeze(1) or targets.unsqueeze(1)",
)
def broadcast_loss(case: Case) -> Saw | None:
    batch = first_batch(case)
    case.model.eval()
    found = [term for term in case.terms(batch) if not term.codes.numel()]
    for term in found:
        one, other = term.out.shape, term.target.shape
        if one == other or len(term.out) < 2:
            continue
        if term.out.numel() == term.target.numel():
            return _seen(one, other, "")
        if term.kind != "class logits" and len(one) == len(other) == 2 and 1 in (one[1], other[1]):
            return _seen(one, other, ": one of them is compared with all columns of the other")
    if batch.many > 3:
        for fewer in (batch.many, batch.many - 1):
            part = batch.rows(fewer)
            with _Differences(fewer, tensors(part.answer)) as mode:
                case.loss_of(part)
            if not mode.found:
                break
        else:
            return _seen(mode.found[0][0], mode.found[0][1], "")
    if found:
        return None
    return _by_value(case, batch)


class _Differences(TorchFunctionMode):
    """Notes differences of outputs (N, 1) and plain numbers (N,), or the other way round, while it is entered."""

    def __init__(self, many: int, targets: list[Tensor]) -> None:
        super().__init__()
        self.many, self.targets = many, targets
        self.found: list[tuple[torch.Size, torch.Size]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call, and note."""
        given = [each for each in args[:2] if isinstance(each, Tensor)]
        name = getattr(func, "__name__", "")
        if name in (*DIFFERENCES, *PRODUCTS) and len(given) == 2:
            outs = [each for each in given if each.requires_grad]
            shapes = {tuple(each.shape) for each in given}
            if len(outs) == 1 and shapes == {(self.many, 1), (self.many,)}:
                other = given[1] if given[0] is outs[0] else given[0]
                if name in PRODUCTS and not any(other.data_ptr() == each.data_ptr() for each in self.targets):
                    return func(*args, **(kwargs or {}))
                self.found.append((outs[0].shape, other.shape))
        return func(*args, **(kwargs or {}))


def _by_value(case: Case, batch: Batch) -> Saw | None:
    """Whether a loss of the user's changes where outputs get the shape of the target."""
    if case.loss is None:
        raise NotMeasured("the loss is the model's own")
    with torch.no_grad():
        out, target = case.outputs(batch), batch.target
        if not isinstance(target, Tensor) or out.shape == target.shape or out.numel() != target.numel():
            raise NotMeasured("outputs and target are not as many values")
        if len(target) < 2 or not target.is_floating_point():
            raise NotMeasured("targets are no values")
        plain = case.compare(out.reshape(target.shape), target, batch).mean()
        given = case.compare(out, target, batch).mean()
    if torch.allclose(plain, given, rtol=1e-4):
        return None
    more = f": the loss is {float(given):.4g}, row by row it would be {float(plain):.4g}"
    return _seen(out.shape, target.shape, more)


def _seen(out: torch.Size, target: torch.Size, more: str) -> Saw:
    text = f"outputs {tuple(out)} against {tuple(target)}{more}"
    return Saw(text, {"outputs": list(out), "target": list(target)})
