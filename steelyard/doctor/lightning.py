"""Lightning modules, known by what they can do: `training_step` and `configure_optimizers`."""

import contextlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from steelyard.doctor.calling import names_of


def is_lightning(model: nn.Module) -> bool:
    """Whether a module brings its own training step and optimizer."""
    return callable(getattr(model, "training_step", None)) and callable(getattr(model, "configure_optimizers", None))


def loss_of_step(model: Any, whole: Any) -> Any:
    """The loss that the module's training step gives for a batch."""
    wanted = len(names_of(model.training_step))
    found = model.training_step(whole, 0) if wanted != 1 else model.training_step(whole)
    return found["loss"] if isinstance(found, Mapping) else found


def optimizer_of(model: Any) -> torch.optim.Optimizer | None:
    """The first optimizer that the module configures."""
    found = model.configure_optimizers()
    while isinstance(found, tuple | list | Mapping):
        found = found.get("optimizer") if isinstance(found, Mapping) else found[0] if found else None
    return found if isinstance(found, torch.optim.Optimizer) else None


def loader_of(model: Any, name: str) -> Any:
    """A loader that the module brings, None where it brings none."""
    with contextlib.suppress(Exception):  # Lightning's own raises where none was defined
        found = getattr(model, name)()
        return found[0] if isinstance(found, list) and len(found) == 1 else found
    return None
