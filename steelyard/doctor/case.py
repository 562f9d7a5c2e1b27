"""The case: a model with its loss, optimizer and loaders, in whatever shape the user has them, behind one way to call.

A batch is (inputs …, target), or a dict with the target under one of `TARGETS`; a model takes the inputs by
position, or a dict by name. What it puts out is a tensor, the first tensor of a tuple or dict, or `logits`. Without
a loss the model gives its own, as `loss` of what it puts out.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

TARGETS = ("labels", "label", "targets", "target", "y")
LOOKED_AT = 8  # batches at the most


class Unusable(Exception):
    """What the user gave cannot be examined at all (the message says why)."""


@dataclass
class Case:
    """What is examined. Nothing of it is changed: `examine` puts everything back as it was."""

    model: nn.Module
    loss: Callable[..., Any] | None = None
    optimizer: torch.optim.Optimizer | None = None
    train: Iterable[Any] | None = None
    dev: Iterable[Any] | None = None
    classes: int | None = None
    left: Callable[[], float] = field(default=lambda: float("inf"))
    batches: list[Any] = field(default_factory=list)  # the first ones of train, on the device of the model
    dev_batches: list[Any] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        held = next(self.model.parameters(), None)
        return torch.device("cpu") if held is None else held.device

    def first(self, source: Iterable[Any]) -> list[Any]:
        """The first batches of a loader."""
        if isinstance(source, Iterator):
            raise Unusable("a loader is an iterator, which looking at it would use up: give a DataLoader or a list")
        return [moved(batch, self.device) for batch in islice(iter(source), LOOKED_AT)]

    def copy(self) -> "Case":
        """The same case with a copy of the model, which may be trained."""
        model = copy.deepcopy(self.model)
        return replace(self, model=model, optimizer=None)

    def put_out(self, batch: Any) -> Any:
        """What the model puts out for a batch, as it comes."""
        inputs = inputs_of(batch)
        if isinstance(inputs, Mapping):
            given = batch if self.loss is None else inputs
            return self.model(**given)
        return self.model(*inputs)

    def outputs(self, batch: Any) -> Tensor:
        """The tensor that the model puts out for a batch."""
        return tensor_of(self.put_out(batch))

    def loss_of(self, batch: Any) -> Tensor:
        """The loss of a batch, a tensor."""
        out = self.put_out(batch)
        if self.loss is None:
            found = out["loss"] if isinstance(out, Mapping) else getattr(out, "loss", None)
            if found is None:
                raise Unusable("there is no loss, and what the model puts out has none: give one")
            return torch.as_tensor(found)
        plain = tensor_of(out) if not isinstance(out, tuple | list) or len(out) == 1 else out
        return torch.as_tensor(self.loss(plain, target_of(batch)))


def moved(batch: Any, device: torch.device) -> Any:
    """A batch with all its tensors on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: moved(each, device) for name, each in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch)(moved(each, device) for each in batch) if type(batch) in (tuple, list) else batch
    return batch


def inputs_of(batch: Any) -> Any:
    """What a model is given of a batch: a dict by name, or a tuple."""
    if isinstance(batch, Mapping):
        return {name: each for name, each in batch.items() if name not in TARGETS}
    if isinstance(batch, tuple | list) and len(batch) > 1:
        return tuple(batch[:-1])
    return (batch[0],) if isinstance(batch, tuple | list) else (batch,)


def target_of(batch: Any) -> Any:
    """The target of a batch."""
    if isinstance(batch, Mapping):
        for name in TARGETS:
            if name in batch:
                return batch[name]
        raise Unusable(f"no target in a batch with {', '.join(map(str, batch))}: call it one of {', '.join(TARGETS)}")
    if isinstance(batch, tuple | list) and len(batch) > 1:
        return batch[-1]
    raise Unusable("a batch is (inputs, target) or a dict, and this one has no target")


def tensors_of(inputs: Any) -> list[Tensor]:
    """The tensors of floating numbers among inputs."""
    given = inputs.values() if isinstance(inputs, Mapping) else inputs
    return [each for each in given if isinstance(each, Tensor) and each.is_floating_point()]


def tensor_of(out: Any) -> Tensor:
    """The tensor among what a model puts out."""
    if isinstance(out, Tensor):
        return out
    if hasattr(out, "logits"):
        return torch.as_tensor(out.logits)
    given = out.values() if isinstance(out, Mapping) else out if isinstance(out, tuple | list) else ()
    for each in given:
        if isinstance(each, Tensor) and each.dim() > 0:
            return each
    raise Unusable(f"the model puts out {type(out).__name__}, and there is no tensor in it")


def rowwise(out: Tensor) -> Tensor:
    """Outputs as a matrix (rows, numbers)."""
    return out.float().reshape(len(out), -1)


def moved_to(batch: Any, kind: torch.dtype) -> Any:
    """A batch with its floating tensors in another precision."""
    if isinstance(batch, Tensor):
        return batch.to(kind) if batch.is_floating_point() else batch
    if isinstance(batch, Mapping):
        return {name: moved_to(each, kind) for name, each in batch.items()}
    if type(batch) in (tuple, list):
        return type(batch)(moved_to(each, kind) for each in batch)
    return batch
