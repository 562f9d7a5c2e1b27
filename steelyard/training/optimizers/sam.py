"""Sharpness-aware minimization: the gradient is taken where, close by, the loss is highest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from steelyard.knobs import Knob, knob, value
from steelyard.training.optimizers.classic import AdamW, Sgd
from steelyard.training.optimizers.optimizer import Groups


class Sharpness(torch.optim.Optimizer):
    """Climbs from w to w + rho·g/‖g‖ over all parameters, has the gradient computed anew, steps with it from w.

    Algorithm 1 of Foret et al. 2021 with p = 2 (arXiv 2010.01412). `base` takes the step.
    """

    def __init__(self, base: torch.optim.Optimizer) -> None:
        self.base = base
        super().__init__(base.param_groups, base.defaults)
        self.state = base.state

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step; `closure` zeroes the gradients and computes them anew at the weights as they then are."""
        rho = self.param_groups[0]["rho"]
        if rho > 0:
            assert closure is not None, "the gradient must be computed twice"
            params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
            here = [p.clone() for p in params]
            torch._foreach_add_(params, _uphill([p.grad for p in params if p.grad is not None], rho))
            with torch.enable_grad():
                closure()
            torch._foreach_copy_(params, here)
        self.base.step()

    def register_step_pre_hook(self, hook: Any) -> Any:
        """Hooks see the gradients that the step is taken with."""
        return self.base.register_step_pre_hook(hook)


def _uphill(grads: list[Tensor], rho: float) -> list[Tensor]:
    """rho·g/‖g‖, the norm over all gradients; nothing where they are all zero."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
    return list(torch._foreach_mul(grads, rho / norm.clamp_min(torch.finfo(norm.dtype).tiny)))


@dataclass(frozen=True)
class SamAdamW(AdamW):
    """SAM over AdamW: flat minima by a second gradient, taken `rho` away uphill. At `rho` 0 it is AdamW, bit for bit.

    Source: Foret et al. 2021, algorithm 1 (arXiv 2010.01412).
    """

    together: ClassVar[bool] = False
    passes: ClassVar[int] = 2

    rho: Knob = knob(0.05, 0.0)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return Sharpness(super().create(groups))

    def settings(self, progress: float) -> dict[str, Any]:
        return super().settings(progress) | {"rho": value(self.rho, progress)}


@dataclass(frozen=True)
class SamSgd(Sgd):
    """SAM over SGD: flat minima by a second gradient, taken `rho` away uphill. At `rho` 0 it is SGD, bit for bit.

    Source: Foret et al. 2021, algorithm 1 (arXiv 2010.01412).
    """

    together: ClassVar[bool] = False
    passes: ClassVar[int] = 2

    rho: Knob = knob(0.05, 0.0)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return Sharpness(super().create(groups))

    def settings(self, progress: float) -> dict[str, Any]:
        return super().settings(progress) | {"rho": value(self.rho, progress)}
