"""Texts as token ids int64 (n, length) with 0 after their end: which are tokens, and closing gaps between them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PADDING, MASK = 0, 2  # ids


def lucky(tokens: "Tensor", luck: "Tensor") -> "Tensor":
    """Where (n, length) tokens have a luck of 0 or more; the luckiest one of a text always counts."""
    real = tokens != PADDING
    best = luck.masked_fill(~real, -1.0).amax(1, keepdim=True)
    return real & ((luck >= 0) | (luck == best))


def closed(tokens: "Tensor", kept: "Tensor") -> "Tensor":
    """The kept tokens in their order, moved up; padding follows."""
    order = (~kept).int().argsort(dim=1, stable=True)
    return tokens.masked_fill(~kept, PADDING).gather(1, order)
