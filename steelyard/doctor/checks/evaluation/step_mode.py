"""A training step in eval mode, or one that leaves the model in it.

In eval mode dropout is off and batch normalisation uses running statistics it no longer updates. A validation that
calls `model.eval()` and never `model.train()` again switches both off for the rest of training.

Broken: `model.eval()` before the loop and no `model.train()`. Mended: `model.train()` at the start of every epoch.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.lightning import is_lightning
from steelyard.doctor.watching import MOODY, watched


@check(
    "SY609",
    "Training runs in eval mode",
    "warning",
    means="dropout is off and running statistics stand still while the model learns",
    treat="call model.train() before training steps, after every validation, too",
)
def step_mode(case: Case) -> Saw | None:
    if case.step is None and not is_lightning(case.model):
        raise NotMeasured("no step of your own was given")
    if not any(isinstance(m, MOODY) for m in case.model.modules()):
        raise NotMeasured("no module acts otherwise in eval mode")
    seen = watched(case)
    if seen.eval_while_learning:
        return Saw("in the step all modules of dropout and normalisation are in eval mode")
    if seen.left_in_eval:
        return Saw("after the step the model is in eval mode: the next step will be, too")
    return None
