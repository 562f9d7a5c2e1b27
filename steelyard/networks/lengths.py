"""Work on padding saved: a batch is computed in pieces of rows of similar length, each as long as its longest row."""

from collections.abc import Callable

import torch
from torch import Tensor

from steelyard.networks.pooling import lengths

FEWEST = 8  # rows in a piece: below that, calls cost more than padding
PIECES = 4


def by_length(compute: Callable[[Tensor, Tensor], Tensor], x: Tensor, mask: Tensor) -> Tensor:
    """What `compute` makes of steps (n, time, …) and their mask (n, time): (n, …), in the order of the rows.

    It must not look beyond the mask, nor from one row at another. An accelerator takes the whole batch at once.
    """
    n, time = mask.shape
    pieces = min(PIECES, n // FEWEST)
    if pieces < 2 or time < 2 or x.device.type != "cpu":
        return compute(x, mask)
    steps = lengths(mask)
    order = torch.argsort(steps, stable=True)
    found = []
    for rows in order.tensor_split(pieces):
        longest = max(1, int(steps[rows[-1]]))
        found.append(compute(x[rows, :longest], mask[rows, :longest]))
    back = torch.empty_like(order)
    back[order] = torch.arange(n)
    return torch.cat(found)[back]
