"""Codes that an embedding has no row for.

An embedding of V rows takes 0 … V - 1. Another tokenizer, codes from 1, -1 for what is missing, or a place beyond the
longest sequence raise an error on the CPU only when such a row comes, and on a GPU one that says nothing.

Broken: `nn.Embedding(len(words), 64)` with codes from 1. Mended: `nn.Embedding(len(words) + 1, 64, padding_idx=0)`.
"""

import contextlib
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY113",
    "Token ids are outside the embedding",
    "error",
    means="such rows raise an error, in the middle of an epoch or only when the model is used",
    treat="make the embedding as large as the largest code + 1, over train, dev and what may come; code from 0",
)
def token_ids(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    looked = False
    for side, batches in (("train", case.batches), ("dev", case.dev_batches), ("test", case.test_batches)):
        for number, batch in enumerate(batches):
            watch = _Watch()
            with torch.no_grad(), contextlib.suppress(_Outside), watch:
                case.put_out(batch)
            looked = looked or watch.looked
            if watch.found is not None:
                low, high, size = watch.found
                text = f"{side} batch {number + 1} has codes {low} … {high}; the embedding takes 0 … {size - 1}"
                return Saw(text, {"low": low, "high": high, "rows": size, "side": side})
            if not looked:
                raise NotMeasured("the model has no embedding")
    return None


class _Outside(Exception):
    """A code has no row: looking it up would fail."""


class _Watch(TorchFunctionMode):
    """Compares codes with the size of the embedding before each look-up."""

    def __init__(self) -> None:
        super().__init__()
        self.found: tuple[int, int, int] | None = None
        self.looked = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in ("embedding", "embedding_bag"):
            both = [*args, *(kwargs or {}).values()][:2]
            table = next((t for t in both if isinstance(t, Tensor) and t.is_floating_point()), None)
            given = next((t for t in both if isinstance(t, Tensor) and not t.is_floating_point()), None)
            if table is not None and given is not None and given.numel():
                self.looked = True
                low, high = int(given.min()), int(given.max())
                if low < 0 or high >= len(table):
                    self.found = (low, high, len(table))
                    raise _Outside
        return func(*args, **(kwargs or {}))
