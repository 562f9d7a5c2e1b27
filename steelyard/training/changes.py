"""What augmentations do to the batches of a team: drawn for every member alone, computed for all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from steelyard.parts import Augmentation
from steelyard.training.feed import Tensors
from steelyard.training.member import Runner


@dataclass(frozen=True)
class Drawn:
    """What changes a batch: tensors of one member, or of several with an axis of members in front."""

    tensors: Tensors
    positions: Tensor | None  # of the members that are changed; None: all


class Change:
    """The augmentation of one kind in those members of a team whose recipe has it."""

    def __init__(self, kind: str, runners: Sequence[Runner], device: torch.device) -> None:
        self._kind, self._device, self._solo = kind, device, len(runners) == 1
        found = [(i, runner, part) for i, runner in enumerate(runners) for part in runner.member.recipe.augment]
        self._having = [(i, runner, part) for i, runner, part in found if part.kind == kind]
        self._everyone = len(self._having) == len(runners)
        self._part = self._having[0][2]
        self._on_inputs = type(self._part).on_inputs is not Augmentation.on_inputs
        self._reshapes = bool(getattr(self._part, "reshapes", False))  # then all or none: a batch has one shape
        self._on_features = type(self._part).on_features is not Augmentation.on_features

    def draw(self, inputs: Tensors) -> Drawn | None:
        """What this batch is changed by; None: nothing."""
        shapes = tuple(tensor.shape if self._solo else tensor.shape[1:] for tensor in inputs)
        draws = [
            (i, part.draw(shapes, runner.streams[self._kind], runner.progress)) for i, runner, part in self._having
        ]
        given = [(i, tensors) for i, tensors in draws if tensors is not None]
        if not given:
            return None
        if self._solo:
            return Drawn(tuple(tensor.to(self._device) for tensor in given[0][1]), None)
        tensors = tuple(torch.stack(each).to(self._device) for each in zip(*(each for _, each in given), strict=True))
        everyone = self._everyone and len(given) == len(self._having)
        return Drawn(tensors, None if everyone else torch.tensor([i for i, _ in given], device=self._device))

    def inputs(self, inputs: Tensors, drawn: Drawn | None, some: Tensor | None = None) -> Tensors:
        """The inputs as they are learnt from; `some` ((members,) n) marks the examples that may change, None: all."""
        if drawn is None or not self._on_inputs:
            return inputs
        changed = self._apply(self._part.on_inputs, (inputs,), inputs, drawn)
        return changed if some is None or self._reshapes else _only(some, inputs, changed)

    def features(
        self,
        features: Tensor,
        targets: Tensor,
        weights: Tensor | None,
        drawn: Drawn | None,
        some: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The encoded batch as it is learnt from; `some` ((members,) n) may change, None: all."""
        if drawn is None or not self._on_features:
            return features, targets, weights
        batch = (features, targets, torch.ones(targets.shape[:-1], device=self._device) if weights is None else weights)
        changed = self._apply(self._part.on_features, batch, batch, drawn)
        return changed if some is None or self._reshapes else _only(some, batch, changed)  # type: ignore[return-value]

    def _apply(self, change: Callable[..., Any], given: tuple[Any, ...], tensors: Tensors, drawn: Drawn) -> Tensors:
        if self._solo:
            return tuple(change(*given, drawn.tensors))
        mapped = torch.func.vmap(change)
        if drawn.positions is None:
            return tuple(mapped(*given, drawn.tensors))
        where = drawn.positions
        some = tuple(tensor[where] for tensor in tensors)
        changed = mapped(*((some,) if given[0] is tensors else some), drawn.tensors)
        return tuple(
            before if after is part else before.index_copy(0, where, after)
            for before, part, after in zip(tensors, some, changed, strict=True)
        )


def _only(some: Tensor, before: Tensors, after: Tensors) -> Tensors:
    """The tensors (…, n, …) changed in those examples (…, n) alone."""
    return tuple(
        one if one is other else torch.where(some.view(*some.shape, *[1] * (one.ndim - some.ndim)), other, one)
        for one, other in zip(before, after, strict=True)
    )
