"""A loss or weights that become NaN or infinite in training, and where that arises first.

A logarithm of zero, a root at zero, a division by a spread that vanished, exp of a large logit, half precision: the
place where it arises tells which.

Broken: `loss = -(y * p.log()).mean()`. Mended: `loss = -(y * p.clamp_min(1e-8).log()).mean()`, or a loss on logits.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import Saw, check
from steelyard.doctor.rehearsal import rehearsed


@check(
    "SY506",
    "Training becomes NaN",
    "error",
    means="from that step on nothing is learnt, and the weights are lost",
    treat="look at what is named first: logarithms, roots, divisions, exp; lower the rate or clip gradients",
)
def not_finite(case: Case) -> Saw | None:
    own = rehearsed(case)
    if own.broke is None:
        return None
    return Saw(own.broke, {"step": own.steps, "losses": [str(each) for each in own.losses[-5:]]})
