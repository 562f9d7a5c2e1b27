"""A model without anything to train.

Layers in a plain list or dict are not registered, so that `parameters()` does not find them; or everything is frozen.

Broken: `self.layers = [nn.Linear(8, 8)]`. Mended: `self.layers = nn.ModuleList([nn.Linear(8, 8)])`.
"""

from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check


@check(
    "SY207",
    "Layers are not registered, or nothing can be trained",
    "error",
    means="the optimizer does not see them, and they are not saved",
    treat="keep layers as attributes or in nn.ModuleList / nn.ModuleDict; look for requires_grad=False",
)
def parameters(case: Case) -> Saw | None:
    for name, module in case.model.named_modules():
        for attribute, held in vars(module).items():
            inside = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list | tuple) else []
            hidden = [each for each in inside if isinstance(each, nn.Module) and any(True for _ in each.parameters())]
            if attribute.startswith("_") or not hidden:
                continue
            known = {id(m) for m in case.model.modules()}
            if any(id(each) not in known for each in hidden):
                where = f"{name}.{attribute}" if name else attribute
                return Saw(f"{where} is a plain {type(held).__name__} of {len(hidden)} layers", {"attribute": where})
    counts = [p.numel() for p in case.model.parameters()]
    if not counts:
        return Saw("the model has no parameters", {"parameters": 0})
    if not any(p.requires_grad for p in case.model.parameters()):
        return Saw(f"all {sum(counts):,} parameters are frozen", {"parameters": sum(counts)})
    return None
