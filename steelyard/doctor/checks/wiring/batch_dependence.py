"""Rows of a batch that see one another.

A view or transpose along the wrong axis mixes rows: the prediction for one depends on which others are beside it.
In eval mode the gradient of one row's outputs must touch that row's inputs only (Karpathy 2019, "A Recipe for
Training Neural Networks").

Broken: `x.view(features, batch)`. Mended: `x.transpose(0, 1)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY205",
    "Rows of a batch see one another",
    "error",
    means="predictions depend on which rows are beside one another: axes are mixed up",
    treat="look for view, reshape, transpose or a softmax along the batch axis",
)
def batch_dependence(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    batch = case.batches[0]
    given = batch.floats
    if not given or len(given[0]) < 3:
        raise NotMeasured("inputs are no floating numbers, or a batch holds fewer than three rows")
    twin = case.copy()
    twin.model.eval()
    row = len(given[0]) // 2
    leaves = [each.detach().clone().requires_grad_() for each in given]
    out = twin.outputs(batch.with_inputs(leaves))
    if out.dim() == 0 or len(out) != len(leaves[0]):
        raise NotMeasured("outputs have no row for each row of the inputs")
    grads = torch.autograd.grad(out[row].float().sum(), leaves, allow_unused=True)
    touched = torch.zeros(len(leaves[0]))
    for grad in grads:
        if grad is not None and len(grad) == len(touched):
            touched += grad.abs().flatten(1).sum(1).cpu()
    others = touched.clone()
    others[row] = 0
    if not bool((others > 0).any()):
        return None
    return Saw(f"the outputs of one row depend on {int((others > 0).sum())} other rows of its batch", {"row": row})
