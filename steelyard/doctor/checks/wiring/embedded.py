"""Leaves that stand for the inputs of a model: floating inputs themselves, and what its embeddings make of codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch
from steelyard.doctor.checks.wiring.probing import with_given


class Roots(TorchFunctionMode):
    """While it is entered, gradients end at the inputs: codes that are looked up in a table end at what is found."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        copies = [t.detach().clone(memory_format=torch.contiguous_format) for t in batch.given]
        held = [t.requires_grad_() if t.is_floating_point() else t for t in copies]
        self.batch = with_given(batch, held)
        self.held = held
        self.looked_up: list[list[tuple[Tensor, Tensor]]] = [[] for _ in held]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call; what an embedding gives for codes of the batch becomes a leaf."""
        out = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") != "embedding" or not isinstance(out, Tensor):
            return out
        codes = next((a for a in (*args, *(kwargs or {}).values()) if isinstance(a, Tensor) and not _real(a)), None)
        for place, given in enumerate(self.held):
            cells = None if codes is None or _real(given) else _cells(codes, given)
            if cells is not None:
                leaf = out.detach().requires_grad_()
                self.looked_up[place].append((leaf, cells))
                return leaf
        return out

    def leaves(self) -> list[list[tuple[Tensor, Tensor]]]:
        """For each input the leaves that stand for it, with the cells of the input that their rows belong to.

        There are none for codes that are not looked up in a table.
        """
        whole = [torch.arange(t.numel()).reshape(t.shape) for t in self.held]
        return [
            [(t, cells)] if _real(t) else found
            for t, cells, found in zip(self.held, whole, self.looked_up, strict=True)
        ]


def _cells(codes: Tensor, given: Tensor) -> Tensor | None:
    """The cells of an input that codes are: it itself, its like, or a slice of it; None for anything else."""
    cells = torch.arange(given.numel()).reshape(given.shape)
    if codes.untyped_storage().data_ptr() == given.untyped_storage().data_ptr():
        return cells.as_strided(codes.shape, codes.stride(), codes.storage_offset() - given.storage_offset())
    return cells if codes.shape == given.shape and bool((codes == given).all()) else None


@contextmanager
def roots(batch: Batch) -> Iterator[Roots]:
    """Leaves for the inputs of a batch; call the model with `.batch` inside."""
    mode = Roots(batch)
    with mode:
        yield mode


def _real(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
