"""Images whose axes are mixed up.

A convolution of PyTorch takes (rows, channels, height, width). Pixels that come as (rows, height, width, channels)
need `permute`; `view` and `reshape` only count them off anew, so that every picture becomes a jumble of stripes. In a
picture neighbours are alike: where pixels counted off in the other order are much smoother, that was their order.

Broken: `x.reshape(-1, 3, 32, 32)` on (rows, 32, 32, 3). Mended: `x.permute(0, 3, 1, 2)`.
"""

import torch
from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.reaching import reaching

SMOOTHER = 0.7  # of the steps between neighbours; on noise and on other pictures the other orders are no smoother
SIDE = 8  # pixels, at the least
ALIKE = 0.6  # steps between neighbours against steps between any two: below, an axis is one of space or time
JUMPS = 0.9  # above, it is one of channels
ROWS = 64


@check(
    "SY112",
    "Image axes are mixed up",
    "error",
    means="convolutions look at pixels that are no neighbours",
    treat="bring channels to the second place with permute(0, 3, 1, 2), never with view or reshape",
)
def image_axes(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    met = reaching(case, case.batches[0].rows(ROWS))
    for module, given in met:
        if isinstance(module, nn.Conv2d) and given.dim() == 4 and given.shape[1:] == met[0][1].shape[1:]:
            return _pictures(module, given.float())
        if isinstance(module, nn.Conv1d) and given.dim() == 3:
            embedded = [out for other, _, out in _outs(met) if isinstance(other, nn.Embedding)]
            return _series(given.float(), embedded)
    raise NotMeasured("the model does not start with a convolution")


def _outs(met: list[tuple[nn.Module, Tensor]]) -> list[tuple[nn.Module, Tensor, Tensor]]:
    with torch.no_grad():
        return [(m, x, m(x)) for m, x in met if isinstance(m, nn.Embedding)]


def _pictures(module: nn.Conv2d, x: Tensor) -> Saw | None:
    n, c, h, w = x.shape
    kernel = tuple(int(k) for k in module.kernel_size)
    if w <= 4 and min(c, h) >= SIDE and not kernel[0] > kernel[-1]:
        if c == h or (c in (SIDE, h, w) or _steps(x, 1) < ALIKE):
            return Saw(
                f"the first convolution is given {tuple(x.shape)}: channels stand last", {"shape": list(x.shape)}
            )
        return None
    if min(h, w) < SIDE or c > 4:
        raise NotMeasured("what the first convolution is given is no picture")
    flat = x.reshape(n, -1)
    orders = {"(rows, height, width, channels)": flat.view(n, h, w, c).permute(0, 3, 1, 2)} if c > 1 else {}
    if c > 1:
        orders["(rows, channels, height, width)"] = x.permute(0, 2, 3, 1).reshape(n, c, h, w)
    if h != w:
        orders[f"pictures of {w} by {h}"] = flat.view(n, c, w, h)
    here = _roughness(x)
    if not orders or here == 0:
        return None
    name, other = min(((name, _roughness(each)) for name, each in orders.items()), key=lambda pair: pair[1])
    if other >= SMOOTHER * here:
        return None
    return Saw(
        f"read as {name} neighbouring pixels differ {other / here:.0%} as much: view or reshape mixed them",
        {"smoother": other / here},
    )


def _series(x: Tensor, embedded: list[Tensor]) -> Saw | None:
    if any(out.shape == x.shape and bool(torch.equal(out.float(), x)) for out in embedded):
        return Saw(
            f"the first convolution is given an embedding as {tuple(x.shape)}: it slides over the numbers of a word",
            {"shape": list(x.shape)},
        )
    if min(x.shape[1:]) < SIDE:
        return None
    along, across = _steps(x, 2), _steps(x, 1)
    if across < ALIKE / 2 and along > JUMPS:
        return Saw(
            f"given {tuple(x.shape)}, neighbours are alike along axis 1, not along axis 2, over which it slides",
            {"along": along, "across": across},
            "warning",
        )
    return None


def _roughness(x: Tensor) -> float:
    """The mean step between neighbours, along the rougher axis."""
    return max(float(x.diff(dim=2).abs().mean()), float(x.diff(dim=3).abs().mean()))


def _steps(x: Tensor, axis: int) -> float:
    """Steps between neighbours along an axis against steps between any two of its places."""
    other = x.index_select(axis, torch.randperm(x.shape[axis], generator=torch.Generator().manual_seed(0)).to(x.device))
    far = float((x - other).abs().mean())
    return float(x.diff(dim=axis).abs().mean()) / far if far > 0 else 1.0
