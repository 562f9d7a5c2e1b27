"""The case: a model with its loss, optimizer, step and loaders, in whatever shape the user has them."""

import copy
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import Batch, Unusable, mapped, tensors
from steelyard.doctor.calling import Calling, called, calling_of, tensor_of
from steelyard.doctor.lightning import is_lightning, loader_of, loss_of_step, optimizer_of
from steelyard.doctor.losses import Term, terms
from steelyard.doctor.stepping import twin_optimizer

LOOKED_AT = 32  # batches at the most
BYTES, SECONDS = 256e6, 8.0  # of them, at the most; at least one batch is looked at


@dataclass
class Case:
    """What is examined. Nothing of it is changed: `examine` puts everything back as it was."""

    model: nn.Module
    loss: Callable[..., Any] | None = None
    optimizer: torch.optim.Optimizer | None = None
    train: Iterable[Any] | None = None
    dev: Iterable[Any] | None = None
    test: Iterable[Any] | None = None
    step: Callable[..., Any] | None = None
    classes: int | None = None
    left: Callable[[], float] = field(default=lambda: float("inf"))
    batches: list[Batch] = field(default_factory=list)  # the first ones of train, on the device of the model
    dev_batches: list[Batch] = field(default_factory=list)
    test_batches: list[Batch] = field(default_factory=list)
    calling: Calling | None = None
    kept: dict[str, Any] = field(default_factory=dict)  # what one check has found out and others need, too

    @classmethod
    def of(cls, model: nn.Module, **parts: Any) -> "Case":
        """The case; what a Lightning module brings itself is taken from it where it was not given."""
        case = cls(model, **parts)
        if is_lightning(model):
            case.optimizer = case.optimizer or optimizer_of(model)
            for name, method in (("train", "train_dataloader"), ("dev", "val_dataloader"), ("test", "test_dataloader")):
                if getattr(case, name) is None:
                    setattr(case, name, loader_of(model, method))
        return case

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        held = next(self.model.parameters(), None)
        return torch.device("cpu") if held is None else held.device

    @property
    def rows(self) -> int:
        """The number of train rows that were looked at."""
        return sum(batch.many for batch in self.batches)

    def raw(self, source: Iterable[Any]) -> list[Any]:
        """The first batches of a loader, as it gives them."""
        if isinstance(source, Iterator):
            raise Unusable("a loader is an iterator, which looking at it would use up: give a DataLoader or a list")
        found: list[Any] = []
        began, size = time.monotonic(), 0.0
        for each in source() if inspect.isfunction(source) else source:
            found.append(each)
            size += _bytes(each)
            if len(found) >= LOOKED_AT or size > BYTES or time.monotonic() - began > SECONDS:
                break
        return found

    def read(self, raw: Any) -> Batch:
        """A batch as model and loss take it. The way is found out on the first one."""
        if self.calling is None:
            self.calling = calling_of(
                self.model, None if is_lightning(self.model) else self.loss, _on(raw, self.device)
            )
        return self.calling.split(_on(raw, self.device))

    def copy(self) -> "Case":
        """The same case with copies of the model and of a loss that is a module, which may be trained."""
        memo: dict[int, Any] = {}
        model = copy.deepcopy(self.model, memo)
        loss = self.loss
        if isinstance(loss, nn.Module):
            loss = copy.deepcopy(loss, memo)
        elif inspect.ismethod(loss) and loss.__self__ is self.model:
            loss = getattr(model, loss.__name__)
        return replace(self, model=model, loss=loss, optimizer=None, step=None, kept={})

    def copy_to_train(self) -> "Case":
        """A copy with a fresh optimizer of the user's kind and settings. Raises Unusable without one."""
        if self.optimizer is None:
            raise Unusable("no optimizer was given")
        twin = self.copy()
        pairs = dict(zip(map(id, self.model.parameters()), twin.model.parameters(), strict=True))
        if isinstance(self.loss, nn.Module) and isinstance(twin.loss, nn.Module):
            pairs |= dict(zip(map(id, self.loss.parameters()), twin.loss.parameters(), strict=True))
        twin.optimizer = twin_optimizer(self.optimizer, pairs)
        return twin

    def put_out(self, batch: Batch) -> Any:
        """What the model puts out for a batch, as it comes."""
        own = self.loss is None and isinstance(batch.whole, Mapping) and not is_lightning(self.model)
        return called(self.model, batch.whole if own and isinstance(batch.inputs, Mapping) else batch.inputs)

    def outputs(self, batch: Batch) -> Tensor:
        """The tensor that the model puts out for a batch."""
        return tensor_of(self.put_out(batch))

    def loss_of(self, batch: Batch) -> Tensor:
        """The loss of a batch, a tensor."""
        if is_lightning(self.model):
            return torch.as_tensor(loss_of_step(self.model, batch.whole))
        return self._lost(self.put_out(batch), batch)

    def compare(self, out: Any, target: Any, batch: Batch) -> Tensor:
        """The loss of other outputs and another target than those of a batch."""
        return self._lost(out, replace(batch, answer=target))

    def terms(self, batch: Batch) -> list[Term]:
        """What the loss of a batch compares with what, outputs with their graph."""
        return terms(self, batch)

    def _lost(self, out: Any, batch: Batch) -> Tensor:
        if self.calling is None:
            self.calling = calling_of(self.model, self.loss, batch.whole)
        found = self.calling.lose(self.loss, out, batch)  # type: ignore[arg-type]
        if isinstance(found, Mapping):
            found = found["loss"] if "loss" in found else sum(found.values())
        if isinstance(found, tuple | list):
            found = found[0]
        return torch.as_tensor(found)


def rowwise(out: Tensor) -> Tensor:
    """Outputs as a matrix (rows, numbers)."""
    return out.float().reshape(len(out), -1)


def _on(raw: Any, device: torch.device) -> Any:
    return mapped(raw, lambda tensor: tensor.to(device, copy=True))


def _bytes(raw: Any) -> float:
    return float(sum(each.numel() * each.element_size() for each in tensors(raw)))
