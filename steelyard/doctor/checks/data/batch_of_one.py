"""Batches of one row before batch normalisation.

BatchNorm needs several rows to reckon a mean and spread of (Ioffe and Szegedy 2015, arXiv 1502.03167). A last batch of
one row raises an error at the end of the epoch, or, with pictures, normalises one picture by itself.

Broken: `DataLoader(data, 32)` on 1,025 rows. Mended: `DataLoader(data, 32, drop_last=True)`.
"""

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.finding import Severity


@check(
    "SY116",
    "Batch normalisation is given one row",
    "warning",
    means="its statistics are those of one row: the step raises an error, or is noise",
    treat="drop the last batch (drop_last=True), take larger batches, or GroupNorm or LayerNorm in its place",
)
def batch_of_one(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    norms = [m for m in case.model.modules() if isinstance(m, _BatchNorm) and m.training]
    if not norms:
        raise NotMeasured("the model has no batch normalisation that learns from batches")
    sizes = [batch.many for batch in case.batches]
    if max(sizes) == 1:
        return Saw("every batch holds one row", {"rows": 1})
    grave: Severity | None = None if any(isinstance(m, nn.BatchNorm1d) for m in norms) else "tip"  # pixels are many
    source: Any = case.train
    if 1 in sizes:
        return Saw(f"batch {sizes.index(1) + 1} holds one row", {"batch": sizes.index(1)}, grave)
    if isinstance(source, DataLoader) and source.batch_size and not source.drop_last:
        sampler: Any = source.sampler
        many = len(sampler) if hasattr(sampler, "__len__") else 0
        if many > source.batch_size and many % source.batch_size == 1:
            text = f"the last of {len(source)} batches holds one row: {many} rows in batches of {source.batch_size}"
            return Saw(text, {"rows": many, "batch size": source.batch_size}, grave)
    return None
