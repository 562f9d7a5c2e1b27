"""Units that start alike.

Units with the same weights get the same gradient and stay the same for ever: a layer of a thousand is worth one
(Goodfellow, Bengio & Courville 2016, "Deep Learning", section 8.4). Zeros are sound in the last layer and at the end
of a residual branch, where what comes before and after differs.

Broken: `nn.init.constant_(layer.weight, 0.1)` in a hidden layer. Mended: torch's default.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import SEED, WAKE, differ, outs

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


@check(
    "SY302",
    "Units of a layer start alike",
    "error",
    means="they get the same gradient and never become different",
    treat="start weights at random: leave torch's default, or nn.init.kaiming_normal_",
)
def units_alike(case: Case) -> Saw | None:
    named: list[tuple[str, nn.Module]] = [each for each in case.model.named_modules() if isinstance(each[1], LAYERS)]
    layers = [(name, m) for name, m in named if any(len(w) > 1 and w.requires_grad for _, w in _weights(m))]
    if len(layers) < 2:
        raise NotMeasured("there are fewer than two layers with several units")
    for name, layer in _in_order(case, layers)[:-1]:  # the last one may start at zero: its inputs differ
        alike = [_alike(w) for _, w in _weights(layer)]
        if not all(alike):
            continue
        own, weight = next(_weights(layer))
        if not bool(weight.any()) and not _cut(case, name):
            continue
        text = f"all {len(weight)} units of {name} have the same weights"
        return Saw(text, {"layer": name, "weight": own})
    return None


def _in_order(case: Case, layers: list[tuple[str, nn.Module]]) -> list[tuple[str, nn.Module]]:
    """Layers in the order of their last calls; those whose calls are not seen come first."""
    if not case.batches:
        return layers
    calls: list[nn.Module] = []
    handles = [layer.register_forward_pre_hook(lambda module, _: calls.append(module)) for _, layer in layers]
    try:
        with torch.no_grad():
            outs(case, case.batches[0])
    finally:
        for handle in handles:
            handle.remove()
    places = {module: place for place, module in enumerate(calls)}
    return sorted(layers, key=lambda each: places.get(each[1], -1))


def _weights(layer: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The weights of a layer, units on the first axis."""
    for name, p in layer.named_parameters(recurse=False):
        if p.dim() > 1:
            yield name, p.detach().requires_grad_(p.requires_grad)


def _alike(weight: Tensor) -> bool:
    flat = weight.detach().reshape(len(weight), -1)
    return len(flat) > 1 and bool(torch.equal(flat, flat[:1].expand_as(flat)))


def _cut(case: Case, name: str) -> bool:
    """Whether a layer of zeros keeps all that the inputs tell from the outputs, others of zeros aside."""
    if not case.batches:
        return True
    twin = case.copy()
    twin.model.eval()
    own = {f"{name}.{n}" for n, _ in twin.model.get_submodule(name).named_parameters()}
    stream = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for other, p in twin.model.named_parameters():
            if other not in own and not bool(p.any()):
                p.copy_(WAKE * torch.randn(p.shape, generator=stream))
        found = outs(twin, case.batches[0])
    return not any(out.dim() and len(out) > 1 and differ(out, out.roll(1, 0), 1e-6) for out in found)
