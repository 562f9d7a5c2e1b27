"""Layers in a row without anything non-linear between them.

Two linear maps after one another are one linear map: the layers in between cost time and add nothing (Goodfellow,
Bengio & Courville 2016, "Deep Learning", section 6.1). A narrow middle, a depthwise or a factorised convolution are
chosen so on purpose.

Broken: `nn.Sequential(nn.Linear(8, 64), nn.Linear(64, 2))`. Mended: `nn.ReLU()` between the two.
"""

from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import SEED, differ, first_batch, outs, woken

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
CLEAR = (nn.Identity, nn.Dropout, nn.Flatten, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)  # linear in eval mode
CLEAR_TOO = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
DEEPER = 3.0  # one layer doubles, two in a row quadruple
STRAIGHT = 1e-5  # of the size of outputs: what rounding leaves of the bend of a straight line, in double precision


@check(
    "SY218",
    "There is no non-linearity between layers",
    "warning",
    means="the layers together are one linear map: their number buys nothing",
    treat="put ReLU, GELU or the like between them, or leave one out",
)
def no_nonlinearity(case: Case) -> Saw | None:
    batch = first_batch(case)
    layers: dict[Any, str] = {m: name for name, m in case.model.named_modules() if isinstance(m, (nn.Linear, *CONVS))}
    matrices = [p for p in case.model.parameters() if p.dim() >= 2 and p.requires_grad]
    if len(matrices) < 2:
        raise NotMeasured("there are fewer than two layers with weights")
    twin = woken(case)
    kept = dict(zip(twin.model.modules(), case.model.modules(), strict=False))
    for one, other in _chained(twin, batch):
        if not _meant(one, other) and _feeds_only(twin, batch, one, other):
            names = layers[kept[one]], layers[kept[other]]
            return Saw(f"{names[1]} takes what {names[0]} puts out, as it is", {"layers": list(names)})
    if len(layers) == 2 and _meant(*layers):
        return None
    tables = any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in twin.model.modules())
    if batch.floats and not tables and not _narrow(list(layers)) and _straight(twin, batch) and _deep(twin, batch):
        return Saw(f"outputs are linear in the inputs, through {len(matrices)} weights", {"weights": len(matrices)})
    return None


def _chained(twin: Case, batch: Batch) -> list[tuple[nn.Module, nn.Module]]:
    """Pairs of layers of which the second is given the first one's outputs, or those of what is linear behind it."""
    sources: list[tuple[Tensor, int, nn.Module]] = []  # a tensor, its version, and the layer that it is the output of
    pairs: dict[tuple[int, int], tuple[nn.Module, nn.Module]] = {}
    calls: dict[nn.Module, int] = {}

    def origin(given: Any) -> nn.Module | None:
        for tensor, version, layer in reversed(sources):
            if isinstance(given, Tensor) and given.data_ptr() == tensor.data_ptr() and given.numel() == tensor.numel():
                return layer if given._version == version else None  # changed in place since, as by ReLU(inplace=True)
        return None

    def watch(module: nn.Module, given: Any, out: Any) -> None:
        source = origin(given[0]) if given else None
        if isinstance(module, (*CLEAR, *CLEAR_TOO)):
            if source is not None and isinstance(out, Tensor):
                sources.append((out, out._version, source))
            return
        calls[module] = calls.get(module, 0) + 1
        if source is not None and source is not module:
            pairs[id(source), id(module)] = (source, module)
        if isinstance(out, Tensor):
            sources.append((out, out._version, module))

    watched = (nn.Linear, *CONVS, *CLEAR, *CLEAR_TOO)
    handles = [m.register_forward_hook(watch) for m in twin.model.modules() if isinstance(m, watched)]
    try:
        with torch.no_grad():
            outs(twin, batch)
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in pairs.values() if all(calls[each] == 1 for each in pair)]


def _meant(one: nn.Module, other: nn.Module) -> bool:
    """Whether two layers in a row are narrower between than outside, depthwise, or a factorised kernel; or frozen."""
    if not all(p.requires_grad for m in (one, other) for p in m.parameters()):
        return True
    if isinstance(one, nn.Linear) and isinstance(other, nn.Linear):
        return one.out_features < min(one.in_features, other.out_features)
    convs = [m for m in (one, other) if isinstance(m, CONVS)]
    if any(m.groups > 1 or min(m.kernel_size) == 1 < max(m.kernel_size) for m in convs):
        return True
    if isinstance(one, CONVS) and isinstance(other, CONVS):
        return one.out_channels < min(one.in_channels, other.out_channels)
    return False


def _narrow(layers: list[Any]) -> bool:
    """Whether a layer is narrower than inputs and outputs, so that several are a map of lower rank."""
    sizes = [(m.weight.shape[1], m.weight.shape[0]) for m in layers]
    return bool(sizes) and min(out for _, out in sizes[:-1] or sizes) < min(sizes[0][0], sizes[-1][1])


def _feeds_only(twin: Case, batch: Batch, one: nn.Module, other: nn.Module) -> bool:
    """Whether nothing but the second layer takes the first one's outputs: a residual connection would."""
    held: list[Any] = []

    def noisy(_: Any, __: Any, out: Tensor) -> Tensor:
        return out + torch.randn(out.shape, generator=torch.Generator().manual_seed(SEED)).to(out)

    with torch.no_grad():
        keep = other.register_forward_hook(lambda _, __, out: held.append(out))
        try:
            before = outs(twin, batch)
        finally:
            keep.remove()
        handles = [one.register_forward_hook(noisy), other.register_forward_hook(lambda _, __, ___: held[0])]
        try:
            after = outs(twin, batch)
        finally:
            for handle in handles:
                handle.remove()
    return not any(differ(a, b, 1e-6) for a, b in zip(before, after, strict=True))


def _straight(twin: Case, batch: Batch) -> bool:
    """Whether outputs half-way between two inputs lie half-way, far out as well."""
    twin.model.double()
    double = batch.in_precision(torch.double)
    with torch.no_grad():
        for size in (1.0, 30.0):
            one = [size * each for each in double.floats]
            other = [each.flip(0) * -1.7 for each in one]
            middle = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
            try:
                f, g, h = (outs(twin, double.with_inputs(each)) for each in (one, other, middle))
            except RuntimeError as error:
                raise NotMeasured("the model does not run in double precision") from error
            for a, b, m in zip(f, g, h, strict=True):
                spread = float((a - b).abs().max())
                if spread == 0 or float((a + b - 2 * m).abs().max()) > STRAIGHT * spread:
                    return False
    return True


def _deep(twin: Case, batch: Batch) -> bool:
    """Whether doubled weights multiply the linear part of the outputs by far more than two: they are chained."""
    double = batch.in_precision(torch.double)

    def part() -> Tensor:
        return torch.cat(
            [(a - b).flatten() for a, b in zip(outs(twin, double), outs(twin, double.scaled(0.0)), strict=True)]
        )

    with torch.no_grad():
        once = part()
        for p in twin.model.parameters():
            if p.dim() >= 2:
                p.mul_(2)
        return float(part().norm()) > DEEPER * float(once.norm())
