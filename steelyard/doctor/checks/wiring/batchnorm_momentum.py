"""A momentum that makes BatchNorm's running statistics useless.

In torch `momentum` is the weight of the new batch; elsewhere it is the weight of the past (0.99). At 0.9 and more
the statistics used for prediction are those of the last batch alone, at 0 they stay at mean 0 and variance 1.

Broken: `nn.BatchNorm1d(64, momentum=0.99)`. Mended: `nn.BatchNorm1d(64, momentum=0.01)`.
"""

from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

MOST = 0.9


@check(
    "SY222",
    "BatchNorm's momentum makes its statistics useless",
    "warning",
    means="in eval mode outputs are normalised by the last batch, or not at all: dev scores jump or stay low",
    treat="momentum is the weight of the new batch: 0.1 is usual, 0.01 for small batches, None for a plain mean",
)
def batchnorm_momentum(case: Case) -> Saw | None:
    norms = [(n, m) for n, m in case.model.named_modules() if isinstance(m, nn.modules.batchnorm._NormBase)]
    norms = [(n, m) for n, m in norms if m.track_running_stats]
    if not norms:
        raise NotMeasured("no layer keeps running statistics")
    for name, module in norms:
        trained = module.weight is None or module.weight.requires_grad
        if module.momentum is not None and trained and (module.momentum >= MOST or module.momentum <= 0):
            return Saw(f"that of {name} is {module.momentum:g}", {"layer": name, "momentum": module.momentum})
    return None
