"""A model without anything to train.

Layers in a plain list or dict are not registered, so that `parameters()` does not find them; no more is a plain
tensor that asks for gradients; or everything is frozen.

Broken: `self.layers = [nn.Linear(8, 8)]`, `self.w = torch.randn(8, requires_grad=True)`. Mended:
`self.layers = nn.ModuleList([nn.Linear(8, 8)])`, `self.w = nn.Parameter(torch.randn(8))`.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check

DEEP = 4  # lists in lists


@check(
    "SY207",
    "Layers are not registered, or nothing can be trained",
    "error",
    means="the optimizer does not see them, and they are not saved",
    treat="keep layers as attributes or in nn.ModuleList, weights as nn.Parameter; look for requires_grad",
)
def parameters(case: Case) -> Saw | None:
    known = {id(m) for m in case.model.modules()} | {id(p) for p in case.model.parameters()}
    for name, module in case.model.named_modules():
        for attribute, held in [*vars(module).items(), *module._buffers.items()]:
            if attribute in ("_modules", "_parameters", "_buffers") or "hook" in attribute:
                continue
            where = f"{name}.{attribute}" if name else attribute
            inside = [each for each in _inside(held) if id(each) not in known]
            layers = [m for m in inside if isinstance(m, nn.Module) and any(p.requires_grad for p in m.parameters())]
            weights = [t for t in inside if isinstance(t, Tensor) and t.requires_grad and t.is_leaf]
            if layers and not isinstance(held, nn.Module):
                return Saw(f"{where} is a plain {type(held).__name__} of {len(layers)} layers", {"attribute": where})
            if weights:
                kind = "a buffer" if attribute in module._buffers else f"a plain {type(held).__name__}"
                return Saw(f"{where} asks for gradients and is {kind}: it is no parameter", {"attribute": where})
    counts = [p.numel() for p in case.model.parameters()]
    if not counts:
        return Saw("the model has no parameters", {"parameters": 0})
    if not any(p.requires_grad for p in case.model.parameters()):
        return Saw(f"all {sum(counts):,} parameters are frozen", {"parameters": sum(counts)})
    return None


def _inside(held: Any, depth: int = 0) -> Iterator[Any]:
    """Layers and tensors in nested lists and dicts."""
    if isinstance(held, nn.Module | Tensor):
        yield held
    elif depth < DEEP and isinstance(held, dict | list | tuple | set):
        for each in held.values() if isinstance(held, dict) else held:
            yield from _inside(each, depth + 1)
