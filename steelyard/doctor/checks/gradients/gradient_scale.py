"""Gradients that vanish, or explode, on their way back.

Through many layers the gradient is multiplied again and again; factors below one make it vanish, above one explode
(Hochreiter 1991; Glorot & Bengio 2010). The first layers then learn nothing, or jump. Layers are taken in the order
in which they are called; tables of embeddings, whose rows are rarely met, are left out.

Broken: twenty sigmoid layers. Mended: ReLU with residual connections or normalisation.
"""

from typing import Any

import torch
from torch import nn

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, woken

VANISHED, EXPLODED = 3e-4, 1e4  # gradient of the first weights over that of the last, per weight
FAINT = ("query", "key", "q_proj", "k_proj", "q_lin", "k_lin")  # of attention: small gradients at first


@check(
    "SY402",
    "Gradients vanish or explode",
    "warning",
    means="early layers learn nothing, or jump",
    treat="fewer layers, ReLU or GELU, residual connections, normalisation, other initial weights; clip what explodes",
)
def gradient_scale(case: Case) -> Saw | None:
    batch = first_batch(case)
    twin = woken(case)
    twin.model.train()
    named = _weights_in_order(twin, batch)
    if len(named) < 3:
        raise NotMeasured("there are fewer than three layers with weights")
    loss = twin.loss_of(batch).mean()
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    sizes = {n: float(g.square().mean().sqrt()) for (n, _), g in zip(named, grads, strict=True) if g is not None}
    norms = [(name, size) for name, size in sizes.items() if size > 0]
    if len(norms) < 3 or not all(torch.isfinite(torch.tensor(size)) for _, size in norms):
        raise NotMeasured("gradients are missing or not finite")
    early = norms[: max(1, len(norms) // 4)]  # several, as queries and keys of attention have small gradients at first
    (first, start), (last, end) = max(early, key=lambda each: each[1]), norms[-1]
    ratio = start / end
    if VANISHED <= ratio <= EXPLODED:
        return None
    word = "vanishes" if ratio < VANISHED else "explodes"
    evidence = {"ratio": ratio, "first": first, "last": last}
    return Saw(f"it {word}: that of {first} is {ratio:.1g} of that of {last}", evidence)


def _weights_in_order(twin: Case, batch: Batch) -> list[tuple[str, nn.Parameter]]:
    """Weights with two axes and more, as the modules that hold them are called."""
    order: dict[str, nn.Parameter] = {}

    def watch(prefix: str) -> Any:
        def hook(module: nn.Module, _: Any) -> None:
            for name, p in module.named_parameters(prefix, recurse=False):
                looked = p.dim() >= 2 and p.requires_grad and not any(f".{word}." in f".{name}." for word in FAINT)
                if looked and not isinstance(module, nn.Embedding | nn.EmbeddingBag):
                    order.setdefault(name, p)

        return hook

    handles = [m.register_forward_pre_hook(watch(name)) for name, m in twin.model.named_modules()]
    try:
        with torch.no_grad():
            twin.loss_of(batch)
    finally:
        for handle in handles:
            handle.remove()
    return list(order.items())
