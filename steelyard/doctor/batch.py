"""A batch: what the model is given of it, what the loss is given of it, and the shape in which the user had it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

TARGETS = ("labels", "label", "targets", "target", "y", "label_ids", "class", "classes")


class Unusable(Exception):
    """What the user gave cannot be examined at all (the message says why)."""


@dataclass(frozen=True)
class Batch:
    """Inputs by position (a tuple) or by name (a dict), and the target: a tensor, several, or None.

    `form` makes of inputs and target what the user's loader gave.
    """

    inputs: Any
    answer: Any
    form: Callable[[Any, Any], Any]

    @property
    def target(self) -> Any:
        """The target. Raises Unusable where there is none."""
        if self.answer is None:
            raise Unusable("a batch has no target: give (inputs, target), or a dict with 'labels'")
        return self.answer

    @property
    def whole(self) -> Any:
        """The batch as the user's loader gave it."""
        return self.form(self.inputs, self.answer)

    @property
    def given(self) -> list[Tensor]:
        """The tensors among the inputs."""
        return tensors(self.inputs)

    @property
    def floats(self) -> list[Tensor]:
        """The tensors of floating numbers among the inputs."""
        return [each for each in self.given if each.is_floating_point()]

    @property
    def many(self) -> int:
        """The number of rows."""
        return next((len(each) for each in self.given if each.dim()), 0)

    def mapped(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """The batch with every tensor changed."""
        return replace(self, inputs=mapped(self.inputs, change), answer=mapped(self.answer, change))

    def with_inputs(self, floats: Sequence[Tensor]) -> "Batch":
        """The batch with its floating inputs replaced, in order."""
        fresh = iter(floats)
        return replace(self, inputs=mapped(self.inputs, lambda t: next(fresh) if t.is_floating_point() else t))

    def scaled(self, factor: float) -> "Batch":
        """The batch with its floating inputs times a factor."""
        return self.with_inputs([each * factor for each in self.floats])

    def rows(self, which: Any) -> "Batch":
        """Some rows: a slice or a tensor of numbers; an int stands for the first ones."""
        chosen, many = slice(which) if isinstance(which, int) else which, self.many
        return self.mapped(lambda t: t[chosen] if t.dim() and len(t) == many else t)

    def twice(self) -> "Batch":
        """The rows, and then again."""
        return self.mapped(lambda t: torch.cat([t, t]) if t.dim() else t)

    def to(self, device: torch.device) -> "Batch":
        """On a device."""
        return self.mapped(lambda t: t.to(device))

    def in_precision(self, kind: torch.dtype) -> "Batch":
        """With floating tensors in another precision."""
        return self.mapped(lambda t: t.to(kind) if t.is_floating_point() else t)


def mapped(tree: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A tree of mappings, tuples and lists with every tensor changed."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, Mapping):
        return {name: mapped(each, change) for name, each in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(each, change) for each in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(mapped(each, change) for each in tree)
    return tree


def tensors(tree: Any) -> list[Tensor]:
    """The tensors of a tree, in order."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    mapped(tree, keep)
    return found
