"""Which classes are rare among the rows that each member of a team learns from."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from steelyard.training.member import Runner


def minority_of(runners: Sequence[Runner], device: torch.device) -> Tensor | None:
    """1 for classes that augmentations may change and 0 for the rest, (k,) or (members, 1, k); None: they change all.

    Of a member that augments its minority alone, those are the classes rarer than the mean of those that occur.
    """
    rare = [_rare(runner) for runner in runners]
    if all(each is None for each in rare):
        return None
    like = runners[0].member.rows.targets
    each = [torch.ones_like(like[0]) if one is None else torch.from_numpy(one).to(like.dtype) for one in rare]
    return (each[0] if len(each) == 1 else torch.stack(each).unsqueeze(1)).to(device)


def _rare(runner: Runner) -> np.ndarray | None:
    counts = runner.member.rows.counts
    if counts is None or runner.plan.batch.augment == "all":
        return None
    return np.asarray(counts * np.count_nonzero(counts) < counts.sum())
