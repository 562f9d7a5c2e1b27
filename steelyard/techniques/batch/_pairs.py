"""Blending the targets of pairs of examples."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def beta(alpha: float, rows: int, stream: "torch.Generator") -> "Tensor":
    """Shares (rows,) drawn from Beta(α, α); torch draws none from a stream of its own, NumPy does."""
    import torch

    seed = int(torch.randint(2**62, (1,), generator=stream))
    shares = np.random.default_rng(seed).beta(alpha, alpha, rows)
    return torch.from_numpy(shares).to(torch.get_default_dtype())


def blended(targets: "Tensor", weights: "Tensor", shares: "Tensor", partner: "Tensor") -> "tuple[Tensor, Tensor]":
    """Targets (n, outputs) and weights (n,) of which a share (n,) is of the examples themselves, the rest of partners'.

    The targets are blended by shares of the weights, so that the loss is that of the two weighted examples.
    """
    weight = weights[partner].lerp(weights, shares)
    ours = (shares * weights / weight).unsqueeze(1)
    return targets[partner].lerp(targets, ours), weight
