"""A loss between (N, 1) and (N,), which broadcasts to (N, N).

Every prediction is then compared with every target: the model learns the mean of the targets and nothing else.

Broken: `F.mse_loss(model(x), y)` with outputs (N, 1) and y (N,). Mended: `F.mse_loss(model(x).squeeze(1), y)`.
"""

import torch

from steelyard.doctor.case import Case, target_of
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.losses import takes_class_logits


@check(
    "SY202",
    "The loss broadcasts outputs against targets",
    "error",
    means="every prediction is compared with every target: only their mean can be learnt",
    treat="give outputs and targets the same shape, as outputs.squeeze(1) or targets.unsqueeze(1)",
)
def broadcast_loss(case: Case) -> Saw | None:
    if not case.batches or case.loss is None:
        raise NotMeasured("there are no train batches, or the loss is the model's own")
    if takes_class_logits(case.loss):
        raise NotMeasured("the loss takes class codes")
    batch = case.batches[0]
    case.model.eval()
    out, target = case.outputs(batch).detach(), target_of(batch)
    if not isinstance(target, torch.Tensor) or not target.is_floating_point() or len(target) < 2:
        raise NotMeasured("targets are no values")
    if out.shape == target.shape or out.numel() != target.numel():
        return None
    plain = torch.as_tensor(case.loss(out.reshape(target.shape), target)).mean()
    given = torch.as_tensor(case.loss(out, target)).mean()
    if torch.allclose(plain, given, rtol=1e-4):
        return None
    shapes = f"{tuple(out.shape)} against {tuple(target.shape)}"
    text = f"outputs {shapes}: the loss is {float(given):.4g}, row by row it would be {float(plain):.4g}"
    return Saw(text, {"outputs": list(out.shape), "target": list(target.shape)})
