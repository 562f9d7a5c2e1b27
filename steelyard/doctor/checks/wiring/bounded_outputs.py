"""Targets that the last activation cannot reach.

A sigmoid ends at 0 and 1, a tanh at ±1, a ReLU at 0: targets outside are never reached, however long it trains.

Broken: `torch.sigmoid(self.head(x))` for prices. Mended: `self.head(x)`, with standardised targets.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

BEYOND = 0.02  # of the targets lie outside what can be put out: fewer may be outliers


@check(
    "SY211",
    "The last activation cannot reach the targets",
    "error",
    means="part of the targets cannot be predicted at all",
    treat="leave the last layer without an activation, or bring the targets into its range",
)
def bounded_outputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        plain = [[t for t in case.terms(b) if t.kind == "values"] for b in case.batches[:8]]
        if not plain[0]:
            raise NotMeasured("the loss is not known to compare values")
        far = [
            [t for t in case.terms(b.scaled(s)) if t.kind == "values"]
            for b in case.batches[:3]
            for s in (300.0, -300.0)
        ]
        for place in range(len(plain[0])):
            targets = torch.cat([each[place].target.float().flatten() for each in plain])
            reach = torch.cat([each[place].out.float().flatten() for each in plain + far])
            saw = _beyond(reach, targets)
            if saw is not None:
                return saw
    return None


def _beyond(reach: torch.Tensor, targets: torch.Tensor) -> Saw | None:
    if not bool(torch.isfinite(reach).all()):
        raise NotMeasured("outputs are not finite")
    for low, high, name in ((0.0, 1.0, "sigmoid"), (-1.0, 1.0, "tanh"), (0.0, float("inf"), "ReLU")):
        if float(reach.min()) < low - 1e-5 or float(reach.max()) > high + 1e-5:
            continue
        outside = float(((targets < low - 1e-4) | (targets > high + 1e-4)).float().mean())
        if outside > BEYOND:
            span = f"{float(targets.min()):.3g} … {float(targets.max()):.3g}"
            text = f"outputs stay within those of a {name}; {outside:.0%} of targets ({span}) lie outside"
            return Saw(text, {"outside": outside, "activation": name})
        return None
    return None
