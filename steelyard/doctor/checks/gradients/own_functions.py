"""An autograd function of one's own whose backward is wrong.

Each `torch.autograd.Function` of the graph is called alone, on what it was called with, and its backward is compared
with central differences. A backward that is another one on purpose is no finding: behind a forward that changes
nothing (reversal, scaling or clipping of gradients), or one that moves in steps (rounding, spikes; Bengio, Léonard &
Courville 2013, arXiv 1308.3432), or where its name says so.

Broken: `return grad * x` for the forward `x ** 2`. Mended: `return grad * 2 * x`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import SEED, few_rows, first_batch
from steelyard.doctor.gradient_check import GradientCheck
from steelyard.doctor.layer_check import check_layer

ROWS, SAMPLES = 4, 40
NUDGE = 1e-5  # of the inputs: a forward in steps stays where it is
NUMBERS = 20_000  # in an input: larger ones are not looked at
ON_PURPOSE = re.compile(
    r"straight|(?<![a-z])ste(?![a-z])|surrogate|revers|(?<![a-z])grl|spik|stopgrad|scalegrad", re.IGNORECASE
)


@check(
    "SY406",
    "A backward of your own is wrong",
    "error",
    means="steps do not go downhill for what lies before it",
    treat="derive it again; steelyard.doctor.check_layer(MyFunction.apply, x) says which entry is off",
)
def own_functions(case: Case) -> Saw | None:
    batch = few_rows(first_batch(case), ROWS)
    twin = case.copy()
    twin.model.eval()
    kinds = functions_of(twin.loss_of(batch).sum())
    if not kinds:
        raise NotMeasured("no autograd function of your own is called")
    with recorded(kinds) as calls:
        twin.loss_of(batch)
    looked_at = 0
    for kind in kinds:
        for given in calls[kind][:2]:
            if on_purpose(kind, given) or any(isinstance(t, Tensor) and t.numel() > NUMBERS for t in given):
                continue
            try:
                found = check_layer(kind.apply, *given, samples=SAMPLES)
            except (ValueError, RuntimeError):
                continue
            looked_at += 1
            asked = {f"input {k + 1}" for k, t in enumerate(given) if isinstance(t, Tensor) and t.requires_grad}
            for name, part in found.parts.items():
                if name in asked and part.grade == "wrong" and part.looked_at >= 3 and not _in_steps(part):
                    index, mine, measured = part.worst
                    text = (
                        f"{kind.__name__}: at {name}[{index}] backward gives {mine:.3g}, differences say {measured:.3g}"
                    )
                    return Saw(text, {"function": kind.__name__, "input": name, "error": part.error})
    if not looked_at:
        raise NotMeasured("no autograd function of your own could be called alone, or all are meant to differ")
    return None


def functions_of(loss: Tensor) -> list[Any]:
    """The user's autograd functions in the graph of a loss."""
    found: dict[Any, None] = {}
    seen: set[Any] = set()
    left = [loss.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        kind = getattr(type(node), "_forward_cls", None)
        if kind is not None and not kind.__module__.startswith("torch."):
            found[kind] = None
        left += [parent for parent, _ in node.next_functions]
    return list(found)


@contextmanager
def recorded(kinds: list[Any]) -> Iterator[dict[Any, list[tuple[Any, ...]]]]:
    """What each function is called with while this is entered."""
    calls: dict[Any, list[tuple[Any, ...]]] = {kind: [] for kind in kinds}
    own = {kind: vars(kind).get("forward") for kind in kinds}

    def watching(kind: Any) -> Any:
        forward, apart = kind.forward, kind.setup_context is not torch.autograd.Function.setup_context

        def watched(*given: Any) -> Any:
            calls[kind].append(given if apart else given[1:])
            return forward(*given)

        return watched

    for kind in kinds:
        kind.forward = staticmethod(watching(kind))
    try:
        yield calls
    finally:
        for kind, was in own.items():
            if was is None:
                del kind.forward
            else:
                kind.forward = was


def on_purpose(kind: Any, given: tuple[Any, ...]) -> bool:
    """Whether a backward is meant to be another: by its name, or as the forward changes nothing or moves in steps."""
    if ON_PURPOSE.search(kind.__name__) or ON_PURPOSE.search(kind.__doc__ or ""):
        return True
    stream = torch.Generator().manual_seed(SEED)

    def nudged(t: Any) -> Any:
        if not isinstance(t, Tensor) or not t.is_floating_point():
            return t
        return t * (1 + NUDGE * torch.randn(t.shape, generator=stream).to(t))

    with torch.no_grad():
        out, moved = kind.apply(*given), kind.apply(*map(nudged, given))
    if not isinstance(out, Tensor):
        return False
    same = any(isinstance(t, Tensor) and t.shape == out.shape and torch.allclose(t.to(out), out) for t in given)
    return same or float((out != moved).double().mean()) < 0.01


def _in_steps(part: GradientCheck) -> bool:
    """Whether the forward moves in steps: all differences are zero, which makes the error one."""
    return part.worst[2] == 0 and part.error > 1 - 1e-9
