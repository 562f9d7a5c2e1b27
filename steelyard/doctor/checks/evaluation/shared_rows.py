"""Rows that are in train and in dev.

What was learnt by heart is then counted as understood: dev says too much good of the model.

Broken: `random_split` after augmentation or over-sampling. Mended: split first, then augment the train part alone.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

SHARE = 0.02  # of the dev rows that were looked at: fewer may be true repeats


@check(
    "SY603",
    "Rows of dev are in train, too",
    "error",
    means="dev counts what was learnt by heart: its score is too good",
    treat="split before rows are repeated or augmented; keep rows of one person or thing on one side",
)
def shared_rows(case: Case) -> Saw | None:
    if not case.batches or not case.dev_batches:
        raise NotMeasured("train and dev batches are needed")
    sides = [[batch.floats for batch in batches] for batches in (case.batches, case.dev_batches)]
    if not sides[0][0] or not sides[1][0]:
        raise NotMeasured("no input is a tensor of floating numbers")
    train, dev = (torch.cat([given[0].float().reshape(len(given[0]), -1) for given in side]) for side in sides)
    if train.shape[1] != dev.shape[1] or train.shape[1] < 2:
        raise NotMeasured("rows of train and dev cannot be compared")
    known = {row.numpy().tobytes() for row in train.cpu()}
    shared = sum(row.numpy().tobytes() in known for row in dev.cpu())
    if shared <= SHARE * len(dev):
        return None
    text = f"{shared} of {len(dev)} dev rows are among the first {len(train)} train rows"
    return Saw(text, {"shared": shared, "dev": len(dev)})
