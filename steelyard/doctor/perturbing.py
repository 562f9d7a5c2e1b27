"""Batches with other inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def replaced(batch: Any, tensors: Sequence[Tensor]) -> Any:
    """The batch with its floating inputs replaced, in order."""
    fresh = iter(tensors)

    def other(each: Any) -> Any:
        return next(fresh) if isinstance(each, Tensor) and each.is_floating_point() else each

    if isinstance(batch, Mapping):
        from steelyard.doctor.case import TARGETS

        return {name: each if name in TARGETS else other(each) for name, each in batch.items()}
    if isinstance(batch, tuple | list) and len(batch) > 1:
        return (*(other(each) for each in batch[:-1]), batch[-1])
    return (other(batch[0]),) if isinstance(batch, tuple | list) else other(batch)


def scaled(batch: Any, factor: float) -> Any:
    """The batch with its floating inputs times a factor."""
    from steelyard.doctor.case import inputs_of, tensors_of

    return replaced(batch, [each * factor for each in tensors_of(inputs_of(batch))])


def rows(batch: Any, many: int) -> Any:
    """The first rows of a batch."""
    if isinstance(batch, Tensor):
        return batch[:many] if batch.dim() else batch
    if isinstance(batch, Mapping):
        return {name: rows(each, many) for name, each in batch.items()}
    if type(batch) in (tuple, list):
        return type(batch)(rows(each, many) for each in batch)
    return batch


def twice(batch: Any) -> Any:
    """The rows of a batch, and then again."""
    if isinstance(batch, Tensor):
        return torch.cat([batch, batch]) if batch.dim() else batch
    if isinstance(batch, Mapping):
        return {name: twice(each) for name, each in batch.items()}
    if type(batch) in (tuple, list):
        return type(batch)(twice(each) for each in batch)
    return batch
