"""Leaves that stand for the inputs of a model: floating inputs themselves, and what its embeddings make of codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch
from steelyard.doctor.checks.wiring.probing import with_given


class Roots(TorchFunctionMode):
    """While it is entered, gradients end at the inputs: codes that are looked up in a table end at what is found."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        held = [t.detach().clone().requires_grad_() if t.is_floating_point() else t.clone() for t in batch.given]
        self.batch = with_given(batch, held)
        self.held = held
        self.looked_up: list[list[Tensor]] = [[] for _ in held]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call; what an embedding gives for codes of the batch becomes a leaf."""
        out = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") != "embedding" or not isinstance(out, Tensor) or not out.requires_grad:
            return out
        codes = next((a for a in (*args, *(kwargs or {}).values()) if isinstance(a, Tensor) and not _real(a)), None)
        for place, given in enumerate(self.held):
            if codes is not None and not _real(given) and codes.shape == given.shape and bool((codes == given).all()):
                leaf = out.detach().requires_grad_()
                self.looked_up[place].append(leaf)
                return leaf
        return out

    def leaves(self) -> list[list[Tensor]]:
        """For each input the leaves that stand for it; none for codes that are not looked up in a table."""
        return [[t] if _real(t) else found for t, found in zip(self.held, self.looked_up, strict=True)]


@contextmanager
def roots(batch: Batch) -> Iterator[Roots]:
    """Leaves for the inputs of a batch; call the model with `.batch` inside."""
    mode = Roots(batch)
    with mode:
        yield mode


def _real(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
