"""Adam and SGD as one call of torch's fused kernel a step.

The numbers are those of `torch.optim.AdamW(fused=True)` and its kin. What is left out are the checks that these make
before every step: for a small network they take longer than the kernel does.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Group = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """The tensors of a group as the kernel of Adam wants them; `counts` are the different ones among `steps`."""

    group: Group
    given: list[Tensor]
    moved: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    steps: list[Tensor]
    counts: list[Tensor]


class FusedAdam(torch.optim.Optimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980) with its weight decay `decoupled`, or else added to the gradient.

    Parameters that take their first step together share one counter of steps. Groups whose places are `elsewhere` are
    left to a subclass.
    """

    elsewhere: Collection[int] = ()

    def __init__(self, groups: list[Group], decoupled: bool = True) -> None:
        self.kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
        self._rows: dict[int, Row] = {}
        super().__init__(groups, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients as they are."""
        self.move()

    def move(self) -> None:
        """Adam's step for every group."""
        for place, group in enumerate(self.param_groups):
            if place in self.elsewhere:
                continue
            row, grads = self._ready(place, group)
            if not grads:
                continue
            beta1, beta2, decay = self.constants(group)
            torch._foreach_add_(row.counts, 1)
            self.kernel(
                row.moved,
                grads,
                row.means,
                row.squares,
                [],
                row.steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=decay,
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def constants(self, group: Group) -> tuple[float, float, float]:
        """β₁, β₂ and weight decay."""
        return *group["betas"], group["weight_decay"]

    def moved(self, parameter: Tensor) -> Tensor:
        """The tensor that the kernel moves for a parameter: itself."""
        return parameter

    def _ready(self, place: int, group: Group) -> tuple[Row, list[Tensor]]:
        """The tensors of a group and the gradients; where some parameter has none, only of those that have one."""
        given = group["params"]
        grads = [p.grad for p in given]
        if any(grad is None for grad in grads):
            live = [p for p in given if p.grad is not None]
            return self._row(group, live), [p.grad for p in live]
        row = self._rows.get(place)
        if row is None or row.group is not group or row.given is not given:
            row = self._rows[place] = self._row(group, given)
        return row, grads

    def _row(self, group: Group, params: list[Tensor]) -> Row:
        fresh = [p for p in params if "exp_avg" not in self.state[p]]
        if fresh:
            step = torch.zeros((), device=fresh[0].device)
            for p in fresh:
                self.state[p].update(step=step, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
        states = [self.state[p] for p in params]
        steps = [state["step"] for state in states]
        return Row(
            group,
            params,
            [self.moved(p) for p in params],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            steps,
            list({id(step): step for step in steps}.values()),
        )


class FusedSgd(torch.optim.Optimizer):
    """SGD with (Nesterov) momentum, its weight decay added to the gradient."""

    def __init__(self, groups: list[Group]) -> None:
        super().__init__(groups, {"lr": 1e-3, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients as they are."""
        for group in self.param_groups:
            descend(self, group, group["lr"], group["momentum"], group["weight_decay"], group["nesterov"])


def descend(
    optimizer: torch.optim.Optimizer, group: Group, lr: float, momentum: float, l2: float = 0.0, nesterov: bool = False
) -> None:
    """One step of SGD for a group of an optimizer, in whose state the momentum is kept."""
    params = [p for p in group["params"] if p.grad is not None]
    if not params:
        return
    torch._fused_sgd_(
        params,
        [p.grad for p in params],
        [_momentum(optimizer.state[p], p) for p in params] if momentum > 0 else [],
        weight_decay=l2,
        momentum=momentum,
        lr=lr,
        dampening=0.0,
        nesterov=nesterov and momentum > 0,
        maximize=False,
        is_first_step=False,
    )


def _momentum(state: dict[str, Any], parameter: Tensor) -> Tensor:
    if "momentum_buffer" not in state:
        state["momentum_buffer"] = torch.zeros_like(parameter)
    buffer: Tensor = state["momentum_buffer"]
    return buffer
