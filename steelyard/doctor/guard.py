"""Everything of the user's put back as it was: weights, gradients, optimizer, modes, random states, counters.

What a user's own step closes over (a schedule, a gradient scaler, a moving average) is put back as far as it has
`state_dict` and `load_state_dict`.
"""

import copy
import inspect
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from steelyard.doctor.case import Case

PLAIN = (bool, int, float, str, type(None))


@contextmanager
def untouched(case: Case) -> Iterator[None]:
    """Leave the case as it was found, on exceptions too."""
    modules = [case.model, *(each for each in (case.loss, *closed_over(case.step)) if isinstance(each, nn.Module))]
    held = [_Module(each) for each in dict.fromkeys(modules)]
    stateful = [each for each in _stateful(case) if not isinstance(each, nn.Module)]
    states = [(each, copy.deepcopy(each.state_dict())) for each in stateful]
    loaders = [case.train, case.dev, case.test]
    parts = [p for loader in loaders for p in (loader, *(getattr(loader, n, None) for n in ("dataset", "sampler")))]
    counters = [(part, _plain(part)) for part in parts if hasattr(part, "__dict__")]
    cells = [(cell, cell.cell_contents) for cell in getattr(case.step, "__closure__", None) or () if _filled(cell)]
    shelves = [(each, dict(each)) for each in closed_over(case.step) if type(each) is dict]
    numpy = sys.modules.get("numpy")  # the doctor needs torch alone; who uses NumPy has it loaded
    drawn = random.getstate(), numpy.random.get_state() if numpy else None, torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    owned = [getattr(part, "generator", None) for part in parts]
    streams = [(each, each.get_state()) for each in owned if isinstance(each, torch.Generator)]
    graph = torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_grad_enabled(graph)
        for module in held:
            module.restore()
        for each, state in states:
            each.load_state_dict(state)
        for part, plain in counters:
            vars(part).update(plain)
        for cell, content in cells:
            cell.cell_contents = content
        for shelf, was in shelves:
            shelf.clear()
            shelf.update(was)
        random.setstate(drawn[0])
        if numpy:
            numpy.random.set_state(drawn[1])
        torch.set_rng_state(drawn[2])
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        for stream, position in streams:
            stream.set_state(position)


class _Module:
    """All that training changes of a module."""

    def __init__(self, module: nn.Module) -> None:
        self.tensors = [(held, held.detach().clone()) for held in (*module.parameters(), *module.buffers())]
        self.parameters = [
            (p, None if p.grad is None else p.grad.clone(), p.requires_grad) for p in module.parameters()
        ]
        self.counters = [(each, _plain(each)) for each in module.modules()]

    def restore(self) -> None:
        """Put it back."""
        with torch.no_grad():
            for tensor, was in self.tensors:
                tensor.copy_(was)
        for parameter, grad, asked in self.parameters:
            parameter.requires_grad, parameter.grad = asked, grad
        for module, plain in self.counters:
            vars(module).update(plain)


def _plain(part: Any) -> dict[str, Any]:
    """Attributes that are numbers, words or nothing: `training`, and counters of the user's."""
    return {name: value for name, value in vars(part).items() if isinstance(value, PLAIN)}


def closed_over(step: Any) -> list[Any]:
    """What a step holds: of its closure, its globals that it names, its arguments laid down, or its object."""
    if step is None:
        return []
    step = inspect.unwrap(getattr(step, "func", step))
    owner = getattr(step, "__self__", None)
    found = list(vars(owner).values()) if hasattr(owner, "__dict__") else []
    code = getattr(getattr(step, "__func__", step), "__code__", None)
    if code is not None:
        found += [cell.cell_contents for cell in getattr(step, "__closure__", None) or () if _filled(cell)]
        known = getattr(step, "__globals__", {})
        found += [known[name] for name in code.co_names if name in known]
        found += list(getattr(step, "__defaults__", None) or ())
    return found


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def optimizers(case: Case) -> list[torch.optim.Optimizer]:
    """The optimizer, and those that the step holds."""
    held = [case.optimizer, *closed_over(case.step)]
    return list({id(each): each for each in held if isinstance(each, torch.optim.Optimizer)}.values())


def _stateful(case: Case) -> list[Any]:
    """The optimizer, and what the step holds, as far as its state can be taken and given back."""
    listed = [case.optimizer, *closed_over(case.step)]
    both = ("state_dict", "load_state_dict")
    kept = [
        e
        for e in listed
        if e is not None and not inspect.isclass(e) and all(callable(getattr(e, n, None)) for n in both)
    ]
    return list({id(each): each for each in kept}.values())
