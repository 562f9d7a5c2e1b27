"""Series float32 (n, channels, time), NaN where missing and after their end: lengths, reading between points."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def lengths(series: "Tensor") -> "Tensor":
    """How many points (n,) each series has up to its last one that is known in any channel."""
    import torch

    known = ~series.isnan().all(1)
    return (known * torch.arange(1, series.shape[2] + 1, device=series.device)).amax(1)


def along(series: "Tensor") -> "Tensor":
    """How far along its series every point is (n, time): 0 at the first, 1 at the last, beyond 1 in the padding."""
    import torch

    return torch.arange(series.shape[2], device=series.device) / (lengths(series) - 1).clamp(min=1).unsqueeze(1)


def read_at(series: "Tensor", share: "Tensor") -> "Tensor":
    """The series (n, channels, time) read at other points of theirs, given as shares (n, time) of the way along.

    Straight lines between neighbours; a point whose nearest neighbour is missing is missing. Padding stays padding.
    """
    import torch

    length, here = lengths(series).unsqueeze(1), torch.arange(series.shape[2], device=series.device)
    inside, last = here < length, (length - 1).clamp(min=0)
    place = torch.where(inside, share.clamp(0, 1) * last, here)
    left = place.floor().long()
    right = torch.where(inside, (left + 1).minimum(last), here)
    part = (place - left).unsqueeze(1)
    before, after = (series.gather(2, index.unsqueeze(1).expand(series.shape)) for index in (left, right))
    nearest = torch.where(part < 0.5, before, after)
    between = before + part * (after - before)
    return torch.where(between.isnan(), nearest, between)
