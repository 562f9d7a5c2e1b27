"""Everything of the user's put back as it was: weights, gradients, optimizer, modes, random states."""

import copy
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from steelyard.doctor.case import Case


@contextmanager
def untouched(case: Case) -> Iterator[None]:
    """Leave the case as it was found, on exceptions too."""
    model, optimizer = case.model, case.optimizer
    weights = {name: held.detach().clone() for name, held in (*model.named_parameters(), *model.named_buffers())}
    grads = {name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}
    asked = {name: p.requires_grad for name, p in model.named_parameters()}
    modes = {name: module.training for name, module in model.named_modules()}
    steps = copy.deepcopy(optimizer.state_dict()) if optimizer is not None else None
    numpy = sys.modules.get("numpy")  # the doctor needs torch alone; who uses NumPy has it loaded
    states = random.getstate(), numpy.random.get_state() if numpy else None, torch.get_rng_state()
    owned = (getattr(loader, "generator", None) for loader in (case.train, case.dev))
    streams = [stream for stream in owned if isinstance(stream, torch.Generator)]
    drawn = [stream.get_state() for stream in streams]
    graph = torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_grad_enabled(graph)
        with torch.no_grad():
            for name, held in (*model.named_parameters(), *model.named_buffers()):
                held.copy_(weights[name])
        for name, parameter in model.named_parameters():
            parameter.grad, parameter.requires_grad = grads[name], asked[name]
        for name, module in model.named_modules():
            module.training = modes[name]
        if optimizer is not None and steps is not None:
            optimizer.load_state_dict(steps)
        random.setstate(states[0])
        if numpy:
            numpy.random.set_state(states[1])
        torch.set_rng_state(states[2])
        for stream, state in zip(streams, drawn, strict=True):
            stream.set_state(state)
