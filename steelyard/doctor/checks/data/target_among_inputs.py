"""A column that is the target.

A model that finds the answer among its inputs scores wonderfully until it is used, when nobody knows the answer yet.

Broken: `x = frame.drop(columns="id")` with the target left in. Mended: `x = frame.drop(columns=["id", "target"])`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

SAME = 0.999  # correlation from which a column is the target itself


@check(
    "SY105",
    "The target is among the inputs",
    "error",
    means="the score is that of copying: it will not hold where the answer is not known",
    treat="leave that column out of the inputs",
)
def target_among_inputs(case: Case) -> Saw | None:
    if not case.batches or not case.batches[0].floats:
        raise NotMeasured("there are no train batches with floating inputs")
    x = torch.cat([batch.floats[0].float() for batch in case.batches])
    if not all(isinstance(batch.answer, torch.Tensor) for batch in case.batches):
        raise NotMeasured("there is not one target a row")
    y = torch.cat([torch.as_tensor(batch.target).float().reshape(-1) for batch in case.batches])
    if x.dim() != 2 or len(x) != len(y) or len(x) < 16 or float(y.std()) == 0:
        raise NotMeasured("inputs are no table, or there is not one target a row")
    x, y = x - x.mean(0), y - y.mean()
    correlation = (x * y[:, None]).sum(0) / (x.norm(dim=0) * y.norm()).clamp(min=1e-12)
    best = int(correlation.abs().argmax())
    if float(correlation[best].abs()) < SAME:
        return None
    text = f"column {best} goes with the target by {float(correlation[best]):+.4f}"
    return Saw(text, {"column": best, "correlation": float(correlation[best])})
