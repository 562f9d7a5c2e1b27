"""A loss that is no single number.

`backward` needs a scalar; a loss with `reduction="none"` gives one number a row.

Broken: `nn.CrossEntropyLoss(reduction="none")` and `loss.backward()`. Mended: `loss.mean().backward()`.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check


@check(
    "SY208",
    "The loss is no single number",
    "error",
    means="backward() fails, or rows are summed and the step grows with the batch",
    treat="use reduction='mean', or call mean() on the loss",
)
def scalar_loss(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    loss = case.loss_of(case.batches[0])
    return None if loss.numel() == 1 else Saw(f"it has the shape {tuple(loss.shape)}", {"shape": list(loss.shape)})
