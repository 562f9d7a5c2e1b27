"""A layer, or a function with a backward of its own, alone: its gradients against central differences.

Outputs are summed with random weights, and the gradient of that number with respect to every input and parameter is
compared in double precision (see `gradient_check`).
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import tensors
from steelyard.doctor.gradient_check import Grade, GradientCheck, compared

SAMPLES = 50
GRADES: tuple[Grade, ...] = ("right", "doubtful", "wrong")


@dataclass(frozen=True)
class LayerCheck:
    """The gradients of a layer: a check for each floating input (`input 1` …) and each parameter, by name."""

    parts: dict[str, GradientCheck] = field(default_factory=dict)

    @property
    def grade(self) -> Grade:
        """The worst grade of the parts that could be looked at; doubtful where there is none."""
        graded = [part.grade for part in self.parts.values() if part.looked_at]
        return max(graded, key=GRADES.index) if graded else "doubtful"

    @property
    def worst(self) -> str:
        """The name of the part with the largest error."""
        looked = {name: part for name, part in self.parts.items() if part.looked_at}
        return max(looked, key=lambda name: looked[name].error) if looked else ""


def check_layer(
    layer: nn.Module | Callable[..., Any], *inputs: Any, samples: int = SAMPLES, seed: int = 0
) -> LayerCheck:
    """Check the backward of a layer or function on inputs, tensors of any precision, at `samples` places of each part.

    A module is copied, and checked in eval mode, so that dropout does not differ from call to call; give
    `MyFunction.apply` for an autograd function. Raises ValueError where nothing depends on the inputs by a graph, or
    where two calls give different outputs.
    """
    if isinstance(layer, nn.Module):
        layer = copy.deepcopy(layer).double().eval()
    given = [_leaf(each) for each in inputs]
    named = {f"input {k + 1}": t for k, t in enumerate(given) if isinstance(t, Tensor) and t.requires_grad}
    if isinstance(layer, nn.Module):
        named |= {name: p for name, p in layer.named_parameters() if p.requires_grad}
    weights: list[Tensor] = []

    def total(*arguments: Any) -> Tensor:
        outs = [t for t in tensors(layer(*arguments)) if t.is_floating_point()]
        if not weights:
            stream = torch.Generator().manual_seed(seed)
            weights.extend(torch.randn(out.shape, generator=stream, dtype=torch.double) for out in outs)
            if len(outs) == 1 and outs[0].numel() == 1:
                weights[0] = torch.ones_like(weights[0])  # a loss, whose backward may rely on standing last
        return sum((out.double() * w.to(out.device)).sum() for out, w in zip(outs, weights, strict=True))  # type: ignore[return-value]

    here = total(*given)
    if not isinstance(here, Tensor) or not here.requires_grad:
        raise ValueError("outputs have no graph: nothing in them depends on the inputs or parameters by a gradient")
    grads = torch.autograd.grad(here, list(named.values()), allow_unused=True)
    with torch.no_grad():
        if float(total(*given)) != float(here):
            raise ValueError("two calls with the same inputs give different outputs: switch off what is random")
    parts = {}
    for (name, tensor), grad in zip(named.items(), grads, strict=True):
        slope = torch.zeros_like(tensor) if grad is None else grad
        parts[name] = compared(_value_at(total, given, tensor), slope, tensor.detach().clone(), samples, seed)
    return LayerCheck(parts)


def _leaf(given: Any) -> Any:
    if isinstance(given, Tensor) and given.is_floating_point():
        return given.detach().double().clone().requires_grad_()
    return given


def _value_at(total: Callable[..., Tensor], given: list[Any], moved: Tensor) -> Callable[[Tensor], float]:
    """The number as a function of one of the tensors that make it."""

    def value(point: Tensor) -> float:
        held = moved.data
        moved.data = point
        try:
            with torch.no_grad():
                return float(total(*given))
        finally:
            moved.data = held

    return value
