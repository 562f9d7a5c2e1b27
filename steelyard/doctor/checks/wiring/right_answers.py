"""What a loss of the user's says of right answers and of wrong ones, put in the place of the outputs."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.doctor.batch import Batch, mapped, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.checks.wiring.probing import SEED, same_place
from steelyard.doctor.tape import taped

MORE = 0.02  # by which two losses differ, as a share
FAR, FARTHER = 100.0, 1000.0  # times an output; a loss with squares then grows a hundredfold, and not tenfold
SQUARED = 50.0
LOW, HIGH = 0.02, 0.98  # probabilities that have a logarithm


def right_and_wrong(case: Case, batch: Batch, maximised: bool = False) -> tuple[float, float] | None:
    """The loss of right answers and of the wrong ones that it likes best; None where it does not tell them apart."""
    if case.loss is None:
        return None
    with torch.no_grad():
        return _told_apart(case, batch, case.put_out(batch), -1.0 if maximised else 1.0)


def endless(case: Case, batch: Batch, maximised: bool = False) -> tuple[float, float] | None:
    """The loss as it is, and with one of the outputs a thousand times as large, where it falls by squares, without end.

    A loss that falls in proportion may be meant so: a critic's, or that of a policy.
    """
    if case.loss is None:
        return None
    with torch.no_grad():
        return _endless(case, batch, case.put_out(batch), -1.0 if maximised else 1.0)


def _told_apart(case: Case, batch: Batch, out: Any, sign: float) -> tuple[float, float] | None:
    target = batch.answer
    target = next((t for t in tensors(target) if t.dim()), None) if not isinstance(target, Tensor) else target
    if target is None:
        return None
    for place, each in enumerate(tensors(out)):
        if not each.is_floating_point() or each.dim() == 0:
            continue
        right, *wrong = _answers(case, batch, each, target) or (None,)
        if right is None:
            continue
        near, *far = (_lost(case, batch, out, place, made.to(each)) for made in (right, *wrong))
        if not all(abs(value) < float("inf") for value in (near, *far)):
            return None
        worst = min(far, key=lambda value: sign * value)
        return (near, worst) if abs(near - worst) > MORE * max(abs(near), abs(worst)) else None
    return None


def _answers(case: Case, batch: Batch, out: Tensor, target: Tensor) -> list[Tensor]:
    """Right outputs, and wrong ones: probabilities of classes or labels, or values."""
    if not target.is_floating_point() and out.dim() == target.dim() + 1 and out.dim() > 1:
        classes = out.shape[1]
        fits = out.shape[:1] + out.shape[2:] == target.shape and classes > 1
        if not fits or int(target.min()) < 0 or int(target.max()) >= classes:
            return []
        axes = (0, out.dim() - 1, *range(1, out.dim() - 1))
        sides = [F.one_hot(codes, classes).permute(axes).double() for codes in (target, (target + 1) % classes)]
        return [LOW + (HIGH - LOW) * side for side in sides]
    if out.numel() != target.numel():
        return []
    y = target.double().reshape(out.shape)
    if bool(((y == 0) | (y == 1)).all()):
        if bool((out >= 0).all()) and not _squashed(case, batch, out):
            return []  # distances, which are to be small for pairs that are alike
        return [LOW + (HIGH - LOW) * y, HIGH - (HIGH - LOW) * y]
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(SEED)).to(y)
    return [y + 0.01 * y.std() * noise, *(y + 3 * y.std() * off for off in (noise, 1.0, -1.0))]


def _squashed(case: Case, batch: Batch, out: Tensor) -> bool:
    """Whether outputs come out of a sigmoid or softmax."""
    with taped(case.model) as tape:
        again = tensors(case.put_out(batch))
    ends = [each for each in again if each.shape == out.shape]
    calls = [call for call in tape.activations if call.kind in ("sigmoid", "softmax")]
    return any(isinstance(call.out, Tensor) and same_place(call.out, end) for call in calls for end in ends)


def _endless(case: Case, batch: Batch, out: Any, sign: float) -> tuple[float, float] | None:
    """Where the loss falls without end, by squares, as one of the outputs grows."""
    for place, each in enumerate(tensors(out)):
        if not each.is_floating_point() or each.dim() == 0:
            continue
        here, far, farther = (_lost(case, batch, out, place, each * size) for size in (1.0, FAR, FARTHER))
        if not all(abs(value) < float("inf") for value in (here, far, farther)):
            continue
        if sign * far < sign * here - abs(here) and sign * farther < 0 and farther / far > SQUARED:
            return here, farther
    return None


def _lost(case: Case, batch: Batch, out: Any, place: int, made: Tensor) -> float:
    """The loss with one of the outputs replaced; NaN where it cannot be had."""
    count = iter(range(len(tensors(out))))
    try:
        replaced = mapped(out, lambda tensor: made if next(count) == place else tensor)
        if isinstance(out, Mapping) and not isinstance(out, dict):
            kind: Any = type(out)
            replaced = kind(**replaced)
        return float(case.compare(replaced, batch.answer, batch).float().mean())
    except Exception:
        return float("nan")
