"""A backward of one's own that is not the gradient of its forward.

Where a model or loss holds a custom `torch.autograd.Function`, the gradient of the loss is compared with central
differences in double precision, on a few weights of every layer.

Broken: `return grad * x` for the forward `x ** 2`. Mended: `return grad * 2 * x`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.gradient_check import compared

SAMPLES, ROWS = 12, 8  # weights of each parameter, rows of the batch
TIME = 0.3  # of what is left, at the most


@check(
    "SY405",
    "Gradients are not those of the loss",
    "error",
    means="steps do not go downhill: training is slow, or goes nowhere",
    treat="look at backward() of your autograd.Function, at detach() and .data; steelyard.doctor.gradient_check helps",
)
def own_backward(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    twin = case.copy()
    twin.model.double().eval()
    batch = case.batches[0].rows(ROWS).in_precision(torch.double)
    loss = twin.loss_of(batch).sum()
    if not loss.requires_grad or not bool(torch.isfinite(loss)):
        raise NotMeasured("the loss has no graph, or is not finite")
    named = [(name, p) for name, p in twin.model.named_parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    end = case.left() * (1 - TIME)
    for (name, p), grad in zip(named, grads, strict=True):
        if grad is None:
            continue
        if case.left() < end:
            raise NotMeasured("there was no time to look at every layer")

        def value(point: torch.Tensor, p: torch.nn.Parameter = p) -> float:
            held = p.data
            p.data = point
            try:
                with torch.no_grad():
                    return float(twin.loss_of(batch).sum())
            finally:
                p.data = held

        found = compared(value, grad, p.detach().clone(), SAMPLES)
        if found.grade == "wrong" and found.looked_at >= 3:
            index, mine, measured = found.worst
            text = f"{name}[{index}] has the gradient {mine:.3g}, differences of the loss say {measured:.3g}"
            return Saw(text, {"parameter": name, "error": found.error})
    return None
