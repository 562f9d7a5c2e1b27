"""Rows of a batch that see one another.

A view or transpose along the wrong axis mixes rows, as does a recurrent network that takes the batch for time
(`batch_first`), or a softmax over rows: the prediction for one then depends on which others are beside it (Karpathy
2019, "A Recipe for Training Neural Networks"). In eval mode a row must get the same answer among copies of itself.

Broken: `x.view(features, batch)`. Mended: `x.transpose(0, 1)`.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import aligned, differ, first_batch, outs, woken

SAME = 1e-3  # of the outputs' size: what the order of sums changes stays below


@check(
    "SY205",
    "Rows of a batch see one another",
    "error",
    means="predictions depend on which rows are beside one another: axes are mixed up",
    treat="look for view, reshape, transpose or a softmax along the batch axis, and for batch_first",
)
def batch_dependence(case: Case) -> Saw | None:
    batch = first_batch(case)
    many = batch.many
    if many < 3:
        raise NotMeasured("a batch holds fewer than three rows")
    if not aligned(batch):
        raise NotMeasured("inputs have other lengths than the batch: its rows may be nodes of a graph")
    twin = woken(case)
    row = many // 2
    copies = _rows(batch, torch.full((many,), row))
    with torch.no_grad():
        before = [_by_row(out, many) for out in outs(twin, batch)]
        try:
            after = [_by_row(out, many) for out in outs(twin, copies)]
            less = [_by_row(out, many - 1) for out in outs(twin, _rows(batch, torch.arange(many - 1)))]
        except Exception as error:
            raise NotMeasured("the model does not take rows in another order") from error
    pairs = [
        (a, b)
        for a, b, c in zip(before, after, less, strict=False)
        if a is not None and b is not None and c is not None and a.shape[1:] == c.shape[1:]  # (N, N) compares rows
    ]
    if not pairs:
        raise NotMeasured("outputs have no row for each row of the inputs")
    for a, b in pairs:
        one, other = a[row], b[row]
        if one.shape != other.shape and one.dim() and other.dim():
            steps = min(len(one), len(other))
            one, other = one[:steps], other[:steps]
        if one.shape == other.shape and differ(one, other, SAME):
            apart = float((one - other).abs().max())
            text = f"the outputs of row {row} change by {apart:.2g} where the other rows are copies of it"
            return Saw(text, {"row": row, "change": apart})
    return None


def _rows(batch: Batch, which: Tensor) -> Batch:
    many = batch.many
    return batch.mapped(lambda t: t[which.to(t.device)] if t.dim() and len(t) == many else t)


def _by_row(out: Tensor, many: int) -> Tensor | None:
    """Outputs as (N, …): rows may lie on the second axis, or N·T of them on the first."""
    if len(out) == many:
        return out.float()
    if out.dim() > 1 and out.shape[1] == many:
        return out.movedim(1, 0).float()
    if len(out) % many == 0:
        return out.reshape(many, -1, *out.shape[1:]).float()
    return None
