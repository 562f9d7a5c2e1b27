"""A loss between (N, 1) and (N,), which broadcasts to (N, N).

Every prediction is then compared with every target: the model learns the mean of the targets and nothing else.

Broken: `F.mse_loss(model(x), y)` with outputs (N, 1) and y (N,). Mended: `F.mse_loss(model(x).squeeze(1), y)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY202",
    "The loss broadcasts outputs against targets",
    "error",
    means="every prediction is compared with every target: only their mean can be learnt",
    treat="give outputs and targets the same shape, as outputs.squeeze(1) or targets.unsqueeze(1)",
)
def broadcast_loss(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    batch = case.batches[0]
    with torch.no_grad():
        found = [term for term in case.terms(batch) if not term.codes.numel()]
        for term in found:
            if term.out.shape != term.target.shape and term.out.numel() == term.target.numel() > 1:
                return _seen(term.out, term.target, "")
        if found:
            return None
        if case.loss is None:
            raise NotMeasured("the loss is the model's own")
        out, target = case.outputs(batch), batch.target
        if not isinstance(target, torch.Tensor) or out.shape == target.shape or out.numel() != target.numel():
            raise NotMeasured("outputs and target are not as many values")
        if len(target) < 2 or not target.is_floating_point():
            raise NotMeasured("targets are no values")
        plain = case.compare(out.reshape(target.shape), target, batch).mean()
        given = case.compare(out, target, batch).mean()
    if torch.allclose(plain, given, rtol=1e-4):
        return None
    return _seen(out, target, f": the loss is {float(given):.4g}, row by row it would be {float(plain):.4g}")


def _seen(out: torch.Tensor, target: torch.Tensor, more: str) -> Saw:
    text = f"outputs {tuple(out.shape)} against {tuple(target.shape)}{more}"
    return Saw(text, {"outputs": list(out.shape), "target": list(target.shape)})
