"""A gradient of one's own against central differences in double precision.

The relative error is ‖g - ĝ‖ / (‖g‖ + ‖ĝ‖) over the coordinates that were looked at, where a right gradient stays
below 1e-6 (Goodfellow, Bengio & Courville 2016, "Deep Learning", section 11.5). A coordinate at which the two one-
sided differences disagree sits on a kink, as of a ReLU, and is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

RIGHT, WRONG = 1e-5, 1e-3  # of the relative error; between the two it is doubtful
STEP = 1e-5  # times the size of the coordinate: near the cube root of the precision of doubles
KINK = 1e-2  # difference of the one-sided slopes, as a share of their size

Grade = Literal["right", "doubtful", "wrong"]


@dataclass(frozen=True)
class GradientCheck:
    """How far a gradient is from the differences of its function: `worst` is (index, given, measured)."""

    error: float
    grade: Grade
    looked_at: int
    kinks: int
    worst: tuple[int, float, float]


def gradient_check(f: Callable[[Any], Any], grad: Any, x: Any, samples: int = 200, seed: int = 0) -> GradientCheck:
    """Compare `grad` (an array like x, or a function of x) with central differences of `f`, a number, at x.

    `x` is an array or tensor, in double precision for a result that means anything; at most `samples` coordinates are
    looked at. Raises ValueError for a gradient of another shape.
    """
    point = torch.as_tensor(x).detach().clone().double()
    given = torch.as_tensor(grad(x) if callable(grad) else grad).detach().double()
    if given.shape != point.shape:
        raise ValueError(f"the gradient has shape {tuple(given.shape)}, x has {tuple(point.shape)}: they must be alike")

    def value(moved: Tensor) -> float:
        return float(f(moved if isinstance(x, Tensor) else moved.numpy()))

    return compared(value, given, point, samples, seed)


def compared(f: Callable[[Tensor], float], given: Tensor, point: Tensor, samples: int, seed: int = 0) -> GradientCheck:
    """The check of a gradient (any shape) at a point of the same shape, in double precision."""
    flat, slopes = point.reshape(-1), given.reshape(-1)
    order = torch.randperm(len(flat), generator=torch.Generator().manual_seed(seed))[:samples]
    here, kept, measured, kinks = f(point), [], [], 0
    for index in order.tolist():
        step = STEP * max(1.0, abs(float(flat[index])))
        above, below = flat.clone(), flat.clone()
        above[index] += step
        below[index] -= step
        up, down = f(above.reshape(point.shape)), f(below.reshape(point.shape))
        right, left = (up - here) / step, (here - down) / step
        if abs(right - left) > KINK * max(abs(right), abs(left), 1e-6):
            kinks += 1
            continue
        kept.append(index)
        measured.append((up - down) / (2 * step))
    if not kept:
        return GradientCheck(float("nan"), "doubtful", 0, kinks, (-1, float("nan"), float("nan")))
    found, mine = torch.tensor(measured, dtype=torch.double), slopes[torch.tensor(kept)]
    scale = float(found.norm() + mine.norm())
    error = float((found - mine).norm()) / scale if scale > 1e-12 else 0.0
    worst = int((found - mine).abs().argmax())
    grade: Grade = "right" if error < RIGHT else "wrong" if error > WRONG else "doubtful"
    return GradientCheck(error, grade, len(kept), kinks, (kept[worst], float(mine[worst]), float(found[worst])))
