"""Gradients that vanish, or explode, on their way back.

Through many layers the gradient is multiplied again and again; factors below one make it vanish, above one explode
(Hochreiter 1991; Glorot & Bengio 2010). The first layers then learn nothing, or jump.

Broken: twenty sigmoid layers. Mended: ReLU with residual connections or normalisation.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

VANISHED, EXPLODED = 1e-5, 1e4  # gradient of the first weights over that of the last, per weight


@check(
    "SY402",
    "Gradients vanish or explode",
    "warning",
    means="early layers learn nothing, or jump",
    treat="fewer layers, ReLU or GELU, residual connections, normalisation, other initial weights; clip what explodes",
)
def gradient_scale(case: Case) -> Saw | None:
    weights = [(name, p) for name, p in case.model.named_parameters() if p.dim() >= 2 and p.requires_grad]
    if not case.batches or len(weights) < 3:
        raise NotMeasured("there are no train batches, or fewer than three layers with weights")
    twin = case.copy()
    twin.model.train()
    loss = twin.loss_of(case.batches[0]).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    sizes = {n: float(p.grad.square().mean().sqrt()) for n, p in twin.model.named_parameters() if p.grad is not None}
    norms = [(name, sizes[name]) for name, _ in weights if name in sizes]
    if len(norms) < 3 or not all(torch.isfinite(torch.tensor(size)) for _, size in norms) or norms[-1][1] == 0:
        raise NotMeasured("gradients are missing or not finite")
    (first, start), (last, end) = norms[0], norms[-1]
    ratio = start / end
    if VANISHED <= ratio <= EXPLODED:
        return None
    word = "vanishes" if ratio < VANISHED else "explodes"
    return Saw(
        f"it {word}: that of {first} is {ratio:.1g} of that of {last}", {"ratio": ratio, "first": first, "last": last}
    )
