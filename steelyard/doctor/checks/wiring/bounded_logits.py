"""An activation that bounds logits.

Logits are free numbers: softmax and sigmoid turn them into probabilities. A ReLU on them leaves no way to say less
than one half, or to tell the wrong classes apart; within ±1, ten classes never lose less than 0.79. Capped at ±5 or
more, as some language models do, they are free enough.

Broken: `return torch.relu(self.head(x))` with `nn.CrossEntropyLoss()`. Mended: `return self.head(x)`.
"""

import math

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, recurrent, same_place, woken
from steelyard.doctor.losses import Term
from steelyard.doctor.tape import Call, taped

BOUNDING = (
    "relu",
    "relu_",
    "relu6",
    "hardtanh",
    "hardtanh_",
    "tanh",
    "tanh_",
    "softplus",
    "gelu",
    "silu",
    "elu",
    "elu_",
)
FLOOR = 0.1  # nats that the loss cannot fall below: less does not matter
ZEROS = 0.05  # of the logits are exactly zero, and none is below
TURNS = 0.05  # spread of cosines over the rows: less are outputs that hardly depend on the inputs
LARGER = 8.0  # times all weights: logits of a plain last layer become at least as much larger
FAR = 300.0  # times the inputs, at which a bound shows
ENDS = 0.6  # of the logits lie at their two ends then


@check(
    "SY219",
    "An activation bounds the logits",
    "warning",
    means="the loss has a floor that no training gets below, and gradients vanish where the activation is flat",
    treat="return the last layer's outputs as they are, without ReLU, tanh or clamp",
)
def bounded_logits(case: Case) -> Saw | None:
    batch = first_batch(case)
    case.model.eval()
    twin = woken(case)
    with torch.no_grad():
        terms = [[t for t in case.terms(each) if t.kind.endswith("logits")] for each in case.batches[:4]]
        if not terms[0]:
            raise NotMeasured("the loss is not known to take logits")
        with taped(case.model) as tape:
            seen = [t for t in case.terms(batch) if t.kind.endswith("logits")]
        for term in recurrent(case, batch):
            if term.kind.endswith("logits"):
                return Saw("they come out of a recurrent layer as they are, within ±1", {"activation": "tanh"})
        for place, term in enumerate(seen):
            call = next((c for c in reversed(tape.activations) if _ends(c, term)), None)
            if call is not None and call.name in BOUNDING:
                where = f" in {call.where}" if call.where else ""
                return Saw(f"they come out of {call.name.rstrip('_')}{where}", {"activation": call.name})
            out = torch.cat([each[place].out.float().flatten() for each in terms if len(each) > place])
            zeros = float((out == 0).float().mean())
            if out.numel() >= 16 and float(out.min()) == 0 and zeros > ZEROS and float(out.max()) > 0:
                return Saw(f"{zeros:.0%} of them are exactly zero, and none is below", {"zeros": zeros})
            if _cosines(twin, place, term):
                floor = _floor(term, -1.0, 1.0)
                text = f"they are cosines, within ±1, without a scale: the loss stays above {floor:.2g}"
                return Saw(text, {"low": -1.0, "high": 1.0, "floor": floor}) if floor > FLOOR else None
            saw = _bound(twin, place, term) if batch.floats else None
            if saw is not None:
                return saw
    return None


def _ends(call: Call, term: Term) -> bool:
    return isinstance(call.out, Tensor) and same_place(call.out, term.out)


def _cosines(twin: Case, place: int, term: Term) -> bool:
    """Whether logits stay within ±1, and of their size, as weights become far larger."""
    weights = [p for p in twin.model.parameters() if p.dim() > 1]
    spread = float(term.out.float().reshape(len(term.out), -1).std(0).mean())
    if not weights or spread < TURNS or float(term.out.abs().max()) > 1 + 1e-4:
        return False
    for p in weights:
        p.mul_(LARGER)
    again = [t for t in twin.terms(twin.batches[0]) if t.kind.endswith("logits")][place].out
    for p in weights:
        p.div_(LARGER)
    grown = float(again.double().square().mean().sqrt()) / max(float(term.out.double().square().mean().sqrt()), 1e-12)
    return float(again.abs().max()) <= 1 + 1e-4 and 0.5 < grown < LARGER / 2


def _bound(case: Case, place: int, term: Term) -> Saw | None:
    """Ends at which logits of far larger inputs stay, where they are too near for the loss to get low."""
    far = []
    for factor in (FAR, -FAR):
        terms = [t for t in case.terms(case.batches[0].scaled(factor)) if t.kind.endswith("logits")]
        far.append(terms[place].out.float().reshape(len(terms[place].out), -1))
    out, spread = torch.cat(far).flatten(), float(torch.cat(far).std(0).mean())
    low, high = float(out.min()), float(out.max())
    if not math.isfinite(low + high) or out.numel() < 16 or high <= low or (low >= 0 and high <= 1):
        return None
    width = 0.01 * (high - low)
    at_low, at_high = (float(near.float().mean()) for near in (out < low + width, out > high - width))
    if spread < 0.1 * (high - low) or at_low + at_high < ENDS or min(at_low, at_high) < 0.05:
        return None
    floor = _floor(term, low, high)
    if floor < FLOOR:
        return None
    text = (
        f"they stay within {low:.3g} … {high:.3g} for inputs {FAR:g} times as large: the loss stays above {floor:.2g}"
    )
    return Saw(text, {"low": low, "high": high, "floor": floor})


def _floor(term: Term, low: float, high: float) -> float:
    if term.kind == "label logits":
        return max(math.log1p(math.exp(-high)), math.log1p(math.exp(low)))
    return math.log1p((term.logits.shape[1] - 1) * math.exp(low - high))
