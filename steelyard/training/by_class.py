"""What depends on how often each class occurs among the rows a member learns from: one table for all members."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from steelyard.training.member import Runner


def offsets_of(runners: Sequence[Runner], device: torch.device) -> Tensor | None:
    """What is added to outputs before the losses see them, (k,) or (members, 1, k); None: nothing to any."""
    found = []
    for runner in runners:
        counts = runner.member.rows.counts
        found.append(None if counts is None else runner.plan.loss.offsets(counts))
    return _table(found, runners, device, 0.0)


def minority_of(runners: Sequence[Runner], device: torch.device) -> Tensor | None:
    """1 for classes that augmentations may change and 0 for the rest, (k,) or (members, 1, k); None: they change all.

    Of a member that augments its minority alone, those are the classes rarer than the mean of those that occur.
    """
    found = []
    for runner in runners:
        counts = runner.member.rows.counts
        every = counts is None or runner.plan.batch.augment == "all"
        found.append(None if every or counts is None else counts * np.count_nonzero(counts) < counts.sum())
    return _table(found, runners, device, 1.0)


def _table(
    found: Sequence[np.ndarray | None], runners: Sequence[Runner], device: torch.device, usual: float
) -> Tensor | None:
    """What was found of the classes of every member as one tensor; `usual` stands where a member has nothing."""
    if all(each is None for each in found):
        return None
    like = runners[0].member.rows.targets
    shape, kind = like.shape[1:], like.dtype
    each = [torch.full(shape, usual) if one is None else torch.from_numpy(one) for one in found]
    whole = each[0] if len(each) == 1 else torch.stack([one.to(kind) for one in each]).unsqueeze(1)
    return whole.to(device, kind)
