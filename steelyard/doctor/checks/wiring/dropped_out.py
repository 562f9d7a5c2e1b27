"""Dropout that drops nearly everything, or the answers themselves.

In torch `p` is the share that is dropped; elsewhere it was the share that is kept (0.9 then meant one in ten). On
the outputs, dropout sets answers to zero that the loss then blames (Srivastava et al. 2014 drop inputs and hidden
units only).

Broken: `nn.Dropout(0.9)`; `F.dropout(self.head(x), 0.5)`. Mended: `nn.Dropout(0.1)` before the last layer.
"""

import torch
from torch import Tensor, nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, same_place
from steelyard.doctor.tape import argument, taped

MOST = 0.8  # more than is dropped by any usual recipe
KINDS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@check(
    "SY221",
    "Dropout drops nearly everything, or the outputs",
    "warning",
    means="hardly any signal is left to learn from, or right answers are set to zero at random",
    treat="p is the share that is dropped: 0.1 … 0.5; take dropout off the outputs",
)
def dropped_out(case: Case) -> Saw | None:
    for name, module in case.model.named_modules():
        if isinstance(module, KINDS) and module.p >= MOST:
            return Saw(f"{name} drops {module.p:.0%}", {"layer": name, "p": module.p})
    batch = first_batch(case)
    case.model.train()
    with torch.no_grad(), taped(case.model) as tape:
        terms = case.terms(batch)
    ends = [term.out for term in terms]
    for call in tape.activations:
        p, on = argument(call, 1, "p"), argument(call, 2, "training")
        p = 0.5 if p is None else p
        if call.kind != "dropout" or on is False or not isinstance(p, float) or p <= 0:
            continue
        if p >= MOST:
            return Saw(f"dropout{_in(call.where)} drops {p:.0%}", {"p": p})
        if isinstance(call.out, Tensor) and any(same_place(call.out, end) for end in ends):
            return Saw(f"outputs go through dropout{_in(call.where)}, which sets {p:.0%} of them to zero", {"p": p})
    return None


def _in(where: str) -> str:
    return f" in {where}" if where else ""
