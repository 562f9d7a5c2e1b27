"""The first module whose output is not finite: the forward pass of a step is done again, and every module looked at.

The pass is done before the step moves the weights, without a graph; buffers and random states are put back. What it
needs is the call of the model, whose inputs are remembered until the step is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

Calls = dict[nn.Module, tuple[Any, dict[str, Any]]]
_REMEMBERED: WeakKeyDictionary[nn.Module, Calls] = WeakKeyDictionary()


@dataclass(frozen=True)
class Origin:
    """Where a NaN or Inf arose: `what` it was in words, and the module, if it was one."""

    what: str
    module: str = ""


def _remember(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
    calls = _REMEMBERED.get(module)  # a copy of the model bears the hook too, and is not known here
    if calls is not None and module.training and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        calls[module] = args, kwargs


@dataclass
class Memory:
    """Remembers how modules were called, until it is told to forget."""

    modules: list[nn.Module]
    calls: Calls = field(default_factory=dict)
    handles: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        for module in self.modules:
            _REMEMBERED[module] = self.calls
            self.handles.append(module.register_forward_pre_hook(_remember, with_kwargs=True))

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self.handles:
            handle.remove()
        for module in self.modules:
            _REMEMBERED.pop(module, None)
        self.handles, self.calls = [], {}


def origin(model: nn.Module, calls: Calls) -> Origin | None:
    """Where the first NaN or Inf of a forward pass arose; None where all that the model puts out is finite."""
    for args, kwargs in calls.values():
        if not _finite((args, kwargs), masks=True):
            return Origin("the inputs of the batch")
    for name, p in (*model.named_parameters(), *model.named_buffers()):
        if not _finite(p, masks=True):
            return Origin(f"{name}, which was not finite before the forward pass", name.rpartition(".")[0])
    if not calls:
        return Origin("a place that is not known: the model itself was not called")
    return _again(model, calls)


def gradient_origin(model: nn.Module) -> str:
    """The parameter nearest to the outputs whose gradient is not finite; empty where all are."""
    worst = [name for name, p in model.named_parameters() if p.grad is not None and not _finite(p.grad)]
    return worst[-1] if worst else ""


def _again(model: nn.Module, calls: Calls) -> Origin | None:
    names = {module: name for name, module in model.named_modules()}
    found: list[Origin] = []
    met: list[str] = []  # modules that were given what is not finite
    masked: list[Origin] = []  # those that may have been given a mask of −Inf

    def look(module: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
        if found or module not in names:
            return
        name, what = names[module], type(module).__name__
        given = _finite((args, kwargs))
        if not _finite(out) and (given or _finite((args, kwargs), masks=True)):
            inside = [each for each in met if each.startswith(f"{name}." if name else "")]
            before = f", before {inside[0]}" if inside else ""
            origin = Origin(f"{name or 'the model'} ({what}){before}", name or what)
            (found if given else masked).append(origin)
        if not given:
            met.append(name)

    buffers = [(held, held.detach().clone()) for held in model.buffers()]
    places = [torch.device(p.device) for p in model.parameters() if p.device.type == "cuda"]
    handle = register_module_forward_hook(look, with_kwargs=True)
    try:
        with torch.random.fork_rng(sorted({place.index for place in places})), torch.no_grad():
            for module, (args, kwargs) in list(calls.items()):
                if not found:
                    module(*args, **kwargs)
    except Exception:
        return None  # a model that cannot be called twice with the same inputs
    finally:
        handle.remove()
        with torch.no_grad():
            for held, value in buffers:
                held.copy_(value)
    return next(iter(found + masked), None)


def _finite(given: Any, masks: bool = False) -> bool:
    """Whether there is no NaN and no Inf; −Inf is allowed in `masks`, as those of attention have it."""
    if isinstance(given, Tensor):
        if not given.is_floating_point() or not given.numel():
            return True
        return bool((given < float("inf")).all() if masks else torch.isfinite(given).all())
    if isinstance(given, Mapping):
        return all(_finite(each, masks) for each in given.values())
    return all(_finite(each, masks) for each in given) if isinstance(given, tuple | list) else True
