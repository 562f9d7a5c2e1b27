"""Attention whose softmax runs along the wrong axis.

What is attended to is a mean of the values, with weights that add up to one over the steps that are summed (Vaswani
et al. 2017, section 3.2.1). A softmax over heads, queries or rows gives weights that do not.

Broken: `scores.softmax(dim=1) @ values`. Mended: `scores.softmax(dim=-1) @ values`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch

OFF = 0.01  # from one, the largest sum of weights


@check(
    "SY225",
    "Attention's softmax runs along the wrong axis",
    "warning",
    means="weights do not add up to one: sizes depend on the length of the sequence, and the wrong steps compete",
    treat="take the softmax over the axis that the product with the values sums: dim=-1",
)
def attention_axis(case: Case) -> Saw | None:
    batch = first_batch(case)
    case.model.eval()
    with torch.no_grad(), _Weights() as mode:
        case.loss_of(batch)
    if not mode.products:
        raise NotMeasured("no softmax of three axes or more is multiplied with values")
    return next((saw for saw in mode.products if saw is not None), None)


class _Weights(TorchFunctionMode):
    """Looks at products of what comes out of a softmax, as it lies, with other tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.soft: list[Tensor] = []
        self.products: list[Saw | None] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call, and look at softmaxes, dropouts of them, and matrix products."""
        out = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        first = args[0] if args else None
        if (name == "softmax" and isinstance(out, Tensor) and out.dim() >= 3) or (
            name == "dropout" and self._known(first) and isinstance(out, Tensor)
        ):
            self.soft.append(out)
        elif name in ("matmul", "bmm", "__matmul__") and isinstance(first, Tensor) and self._known(first):
            sums = first.sum(-1)
            off, low, high = float((sums - 1).abs().max()), float(sums.min()), float(sums.max())
            text = f"weights {tuple(first.shape)} add up to {low:.2g} … {high:.2g}"
            self.products.append(Saw(text, {"off": off}) if off > OFF else None)
        return out

    def _known(self, given: Any) -> bool:
        return isinstance(given, Tensor) and any(
            given.data_ptr() == t.data_ptr() and given.shape[-2:] == t.shape[-2:] and given.stride(-1) == 1
            for t in self.soft
        )
