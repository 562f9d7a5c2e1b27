"""Targets that the last activation cannot reach.

A sigmoid ends at 0 and 1, a tanh at ±1, a ReLU at 0: targets outside are never reached, however long it trains. A
bound of one's own, as `5 * sigmoid`, shows where inputs that are far larger end at the same values.

Broken: `torch.sigmoid(self.head(x))` for prices. Mended: `self.head(x)`, with standardised targets.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, recurrent, same_place
from steelyard.doctor.losses import Term
from steelyard.doctor.tape import taped

BEYOND = 0.02  # of the targets lie outside what can be put out: fewer may be outliers
ENDS = {
    **dict.fromkeys(("sigmoid", "sigmoid_", "hardsigmoid", "softmax"), (0.0, 1.0)),
    **dict.fromkeys(("tanh", "tanh_", "hardtanh", "hardtanh_"), (-1.0, 1.0)),
    **dict.fromkeys(("relu", "relu_", "softplus"), (0.0, float("inf"))),
    "relu6": (0.0, 6.0),
}
NAMES = {(0.0, 1.0): "sigmoid", (-1.0, 1.0): "tanh", (0.0, float("inf")): "ReLU"}
SOFT = 0.05  # of the rows have other than one label
ZEROS = 0.05  # of the outputs are exactly zero, and none is below
AT_ENDS = 0.5  # of the outputs for far larger inputs lie at one of two values: a bound, no matter of scale


@check(
    "SY211",
    "The last activation cannot reach the targets",
    "error",
    means="part of the targets cannot be predicted at all",
    treat="leave the last layer without an activation, or bring the targets into its range",
)
def bounded_outputs(case: Case) -> Saw | None:
    batch = first_batch(case)
    case.model.eval()
    with torch.no_grad():
        exclusive = _exclusive(case)
        if exclusive is not None:
            return exclusive
        plain = [_values(case.terms(b)) for b in case.batches[:8]]
        if not plain[0]:
            raise NotMeasured("the loss is not known to compare values")
        with taped(case.model) as tape:
            seen = _values(case.terms(batch))
        far = [_values(case.terms(b.scaled(s))) for b in case.batches[:3] for s in (300.0, -300.0) if b.floats]
        within = [t.target.shape for t in recurrent(case, batch) if t.kind == "values"]
        for place, term in enumerate(seen):
            targets = torch.cat([each[place].target.float().flatten() for each in plain])
            reach = torch.cat([each[place].out.float().flatten() for each in plain + far])
            if not bool(torch.isfinite(reach).all()):
                raise NotMeasured("outputs are not finite")
            last = [c.name for c in tape.activations if isinstance(c.out, Tensor) and same_place(c.out, term.out)]
            ends = ENDS.get(last[-1]) if last else None
            if ends is None and term.target.shape in within:
                ends = (-1.0, 1.0)
            if ends is None and far:
                ends = _ends(reach, torch.cat([each[place].out.float().flatten() for each in far]))
            saw = _beyond(ends, targets) if ends is not None else None
            if saw is not None:
                return saw
    return None


def _exclusive(case: Case) -> Saw | None:
    """Probabilities of a softmax where several labels, or none, are right: they add up to one, targets do not."""
    terms = [t for b in case.batches[:8] for t in case.terms(b) if t.kind == "probabilities" and t.out.dim() == 2]
    terms = [t for t in terms if t.target.is_floating_point() and t.out.shape == t.target.shape and t.out.shape[1] > 1]
    if not terms:
        return None
    out, target = (torch.cat(side).float().sum(1) for side in ([t.out for t in terms], [t.target for t in terms]))
    off = float(((target - 1).abs() > 0.02).float().mean())
    if not torch.allclose(out, torch.ones_like(out), atol=1e-3) or off < SOFT:
        return None
    text = f"outputs are those of a softmax, which add up to 1; {off:.0%} of rows have other than one label"
    return Saw(text, {"outside": off, "activation": "softmax"})


def _values(terms: list[Term]) -> list[Term]:
    return [term for term in terms if term.kind == "values"]


def _ends(reach: Tensor, far: Tensor) -> tuple[float, float] | None:
    """Between what outputs stay, by where those of inputs far larger lie."""
    low, high = float(reach.min()), float(reach.max())
    zeros = float((reach == 0).float().mean())
    if low == 0 and zeros > ZEROS:
        return 0.0, float("inf")
    width = 0.01 * (high - low)
    at_low, at_high = (float(near.float().mean()) for near in (far < low + width, far > high - width))
    if len(far) < 16 or at_low + at_high < AT_ENDS or min(at_low, at_high) < 0.05:
        return None
    return next((ends for ends in NAMES if abs(low - ends[0]) + abs(high - ends[1]) < 0.02), (low, high))


def _beyond(ends: tuple[float, float], targets: Tensor) -> Saw | None:
    low, high = ends
    outside = float(((targets < low - 1e-4) | (targets > high + 1e-4)).float().mean())
    if outside <= BEYOND:
        return None
    span = f"{float(targets.min()):.3g} … {float(targets.max()):.3g}"
    bound = f"those of a {NAMES[ends]}" if ends in NAMES else f"{low:.3g} … {high:.3g}"
    return Saw(f"outputs stay within {bound}; {outside:.0%} of targets ({span}) lie outside", {"outside": outside})
