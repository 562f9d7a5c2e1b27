"""What a loss compares with what: its terms, as torch's own functions are called in it, or as it behaves.

A loss of the user's is called with made-up outputs: one that does not change when all logits of a row rise together
applies softmax by itself; one that is zero where outputs are the targets, whatever they are, compares values.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, Unusable
from steelyard.doctor.tape import LOSSES, argument, taped, tensor_pair

if TYPE_CHECKING:
    from steelyard.doctor.case import Case

KINDS = ("class logits", "label logits", "probabilities", "log probabilities", "values")


@dataclass(frozen=True)
class Term:
    """One comparison: outputs (N, …) against a target; `kind` is one of KINDS; `ignored` a code that is left out."""

    kind: str
    out: Tensor
    target: Tensor
    ignored: int = -100

    @property
    def logits(self) -> Tensor:
        """Class logits as a matrix (rows, classes)."""
        return self.out.movedim(1, -1).reshape(-1, self.out.shape[1]) if self.out.dim() > 1 else self.out[None]

    @property
    def codes(self) -> Tensor:
        """Class codes in the order of `logits`, empty where the target holds none."""
        return self.target.reshape(-1) if not self.target.is_floating_point() else self.target.new_empty(0).long()


def terms(case: "Case", batch: Batch) -> list[Term]:
    """The comparisons that the loss of a batch makes, outputs with their graph; empty where none is known."""
    return loss_and_terms(case, batch)[1]


def loss_and_terms(case: "Case", batch: Batch) -> tuple[Tensor, list[Term]]:
    """The loss of a batch and what it compares; the loss depends on the outputs of terms that torch's losses take."""
    with taped(case.model) as tape:
        loss = case.loss_of(batch)
    found = []
    for call in tape.losses:
        pair, ignored = tensor_pair(call), argument(call, 4, "ignore_index")
        if pair is not None:
            found.append(Term(LOSSES[call.name], *pair, ignored if isinstance(ignored, int) else -100))
    if found or case.loss is None:
        return loss, found
    with contextlib.suppress(Unusable):
        out, target = case.outputs(batch), batch.target
        if isinstance(target, Tensor) and len(out) == len(target):
            kind = behaves(lambda z, y: case.compare(z, y, batch), out.detach(), target)
            return loss, [Term(kind, out, target)] if kind else []
    return loss, []


def behaves(loss: Callable[[Tensor, Tensor], Tensor], out: Tensor, target: Tensor) -> str | None:
    """The kind of a loss by what it makes of made-up outputs; None where that cannot be told."""
    stream = torch.Generator().manual_seed(7_346_029)  # not one that data is drawn from
    made = (2 * torch.randn(out.shape, generator=stream)).to(out.device, torch.float32)

    def lose(z: Tensor, y: Tensor = target) -> float:
        with torch.no_grad(), contextlib.suppress(Exception):
            return float(torch.as_tensor(loss(z, y)).float().mean())
        return float("nan")

    if not target.is_floating_point() and out.dim() == target.dim() + 1:
        return _of_codes(lose, made)
    if out.numel() != target.numel() or not target.is_floating_point():
        return None
    y = target.reshape(out.shape)
    two = bool(((target == 0) | (target == 1)).all())
    if two and lose(20 * (2 * y - 1)) < 0.05 < lose(10 * (1 - 2 * y)) and lose(20 * (2 * y - 1)) < 0.5 * lose(y):
        return "label logits"
    if two and (not _finite(lose(made))) and _finite(lose(torch.sigmoid(made))):
        return "probabilities"
    free = 3 * made
    asked = free.reshape(target.shape)
    if out.shape == target.shape and abs(lose(free, asked)) < 1e-5 < lose(free + 0.5, asked):
        return "values"
    return None


def _of_codes(lose: Any, made: Tensor) -> str | None:
    plain, moved = lose(made), lose(made + 3.0)
    if not _finite(plain):
        p = torch.softmax(made, 1)
        return "probabilities" if _finite(lose(p)) else None
    if abs(plain - moved) <= 1e-4 * max(1.0, abs(plain)) and abs(plain - lose(2 * made)) > 1e-4:
        return "class logits"
    doubled = lose(2 * made)
    if plain != 0 and abs(doubled - 2 * plain) <= 1e-3 * abs(plain):
        return "log probabilities"
    return None


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")
