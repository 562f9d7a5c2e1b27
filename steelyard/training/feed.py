"""The feed: the batches of an epoch for members that step together, gathered many steps at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from steelyard.data.batches import Batch
from steelyard.parts import Loss

PIECE = 2 << 20  # bytes gathered at once: as many steps as stay near the processor

Tensors = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Rows:
    """Prepared rows to learn from: input tensors (n, …), targets (n, outputs) and class codes (n,) or None.

    `weights` (n,) say how much each counts in the loss; None: all alike.
    """

    inputs: Tensors
    targets: Tensor
    classes: np.ndarray | None
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def counts(self) -> np.ndarray | None:
        """How many rows each class has (outputs,); None where rows have no classes."""
        return None if self.classes is None else np.bincount(self.classes, minlength=self.targets.shape[1])

    def to(self, device: torch.device) -> "Rows":
        """The same rows on a device."""
        if device.type == "cpu":
            return self
        inputs = tuple(tensor.to(device) for tensor in self.inputs)
        return Rows(inputs, self.targets.to(device), self.classes, self.weights)


@dataclass(frozen=True)
class Step:
    """A batch: inputs (n, …), targets (n, outputs) and weights (n,) or None for ones; in a fleet (members, n, …)."""

    inputs: Tensors
    targets: Tensor
    weights: Tensor | None


class Feed:
    """What members learn from: rows of theirs in their own order; rows that members share are held once."""

    def __init__(self, rows: Sequence[Rows], parts: Sequence[Batch], losses: Sequence[Loss]) -> None:
        self.rows, self.parts = list(rows), list(parts)
        self._drawn = self.parts[0].drawn(len(self.rows[0]), self.rows[0].classes)
        distinct = list({id(each): each for each in rows}.values())
        begins = np.cumsum([0, *(len(each) for each in distinct)])
        place = {id(each): begin for each, begin in zip(distinct, begins, strict=False)}
        self._offsets = [int(place[id(each)]) for each in rows]
        self._inputs = tuple(_together([each.inputs[i] for each in distinct]) for i in range(len(distinct[0].inputs)))
        self._targets = _together([each.targets for each in distinct])
        weights = [_weights(each, loss) for each, loss in zip(rows, losses, strict=True)]
        self._weights = (
            None
            if all(mine is None for mine in weights)
            else [torch.ones(len(each)) if mine is None else mine for each, mine in zip(rows, weights, strict=True)]
        )

    def steps(self, progress: float) -> int:
        """Steps in the epoch that begins at `progress`."""
        return max(1, self._drawn // self._size(progress))

    def _size(self, progress: float) -> int:
        return self.parts[0].size_at(progress, self._drawn)

    def epoch(self, progress: float, streams: Sequence[np.random.Generator]) -> Iterator[Step]:
        """The batches of one epoch; members with other orders, but as many steps of the same size."""
        size, steps = self._size(progress), self.steps(progress)
        chosen = [
            torch.from_numpy(part.order(len(rows), rows.classes, stream)[: steps * size])
            for part, rows, stream in zip(self.parts, self.rows, streams, strict=True)
        ]
        shifted = [order + offset if offset else order for order, offset in zip(chosen, self._offsets, strict=True)]
        weights = [table[order] for table, order in zip(self._weights, chosen, strict=True)] if self._weights else None
        bytes_a_step = sum(t[:1].nbytes for t in (*self._inputs, self._targets)) * size * len(chosen)
        several = max(1, PIECE // bytes_a_step)
        for begin in range(0, steps, several):
            few = min(several, steps - begin)
            span = slice(begin * size, (begin + few) * size)
            flat = _by_step(shifted, span, few).to(self._targets.device)
            shape = (few, size) if len(chosen) == 1 else (few, len(chosen), size)
            inputs = [_picked(tensor, flat, shape) for tensor in self._inputs]
            targets = _picked(self._targets, flat, shape)
            weighing = None if weights is None else _by_step(weights, span, few).view(shape).to(flat.device).unbind()
            for step in range(few):
                yield Step(
                    tuple(each[step] for each in inputs), targets[step], None if weighing is None else weighing[step]
                )


def _together(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tuple(tensors))


def _by_step(orders: Sequence[Tensor], span: slice, steps: int) -> Tensor:
    """What every member has in a span of steps, flat, in the order (step, member, row)."""
    if len(orders) == 1:
        return orders[0][span]
    return torch.stack([order[span].view(steps, -1) for order in orders], dim=1).flatten()


def _weights(rows: Rows, loss: Loss) -> Tensor | None:
    found = None if rows.classes is None else loss.row_weights(rows.classes)
    if rows.weights is not None:
        found = rows.weights if found is None else found * rows.weights
    return None if found is None else torch.from_numpy(found).float()


def _picked(tensor: Tensor, flat: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tensor.index_select(0, flat).view(*shape, *tensor.shape[1:]).unbind()
