"""Adam first, SGD later: at a fixed point of training, or when SWATS finds a rate for SGD by itself."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from steelyard.knobs import knob
from steelyard.training.optimizers.classic import AdamW
from steelyard.training.optimizers.fused import FusedAdam, Group, descend
from steelyard.training.optimizers.optimizer import Groups


class AdamThenSgd(FusedAdam):
    """Steps of Adam; once `sgd` is set, those of SGD with momentum β₁, whose momentum begins at zero.

    The rate of SGD is `factor` times the rate of the group. The decay of the weights goes on as it was.
    """

    sgd = False
    factor = 1.0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients as they are."""
        self.advance()

    def advance(self) -> None:
        """A step of the optimizer that it is at this moment."""
        if not self.sgd:
            self.move()
            return
        for group in self.param_groups:
            if group["weight_decay"]:
                live = [p for p in group["params"] if p.grad is not None]
                torch._foreach_mul_(live, 1 - group["lr"] * group["weight_decay"])
            descend(self, group, self.rate(group), group["betas"][0])

    def rate(self, group: Group) -> float:
        """The rate of SGD."""
        return float(group["lr"] * self.factor)

    def switch(self) -> None:
        """Go on with SGD; what Adam remembers is forgotten."""
        self.sgd = True
        self._rows.clear()
        self.state.clear()


class ProjectingAdam(AdamThenSgd):
    """Adam that projects its steps on those of SGD and switches when the rate SGD would need has settled.

    Algorithm 1 of Keskar & Socher 2017 (arXiv 1712.07628). `switched_at` is the step of the switch, `found` the rate
    Λ it went on with; both None before. The paper has a constant rate; here the average is taken of the rate of SGD
    over that of Adam, which is the same then, so that a falling rate alone does not keep the two apart.
    """

    def __init__(self, groups: Groups, eps: float, tolerance: float = 0.0) -> None:
        super().__init__(groups)
        self.eps, self.tolerance = eps, tolerance
        self.switched_at: int | None = None
        self.found: float | None = None
        self._taken, self._average = 0, 0.0

    def advance(self) -> None:
        """A step, and before the switch a look at what it says of the rate."""
        watching = not self.sgd and (self.eps > 0 or self.tolerance > 0)
        super().advance()
        if watching:
            self._taken += 1
            self._look()

    def rate(self, group: Group) -> float:
        return super().rate(group) * (1 - float(group["betas"][0]))

    def _look(self) -> None:
        square, along = self._projection()
        lr, beta2 = self.param_groups[0]["lr"], self.param_groups[0]["betas"][1]
        if along == 0:
            return
        ratio = square / -along / lr
        self._average = beta2 * self._average + (1 - beta2) * ratio
        corrected = self._average / (1 - beta2**self._taken)
        near = max(self.eps, self.tolerance * lr * corrected)
        if self._taken > 1 and lr * abs(corrected - ratio) < near and corrected > 0:
            self.switched_at, self.found, self.factor = self._taken, lr * corrected, corrected
            self.switch()

    def _projection(self) -> tuple[float, float]:
        """pᵀp and pᵀg of Adam's last step p (without the decay of the weights) and the gradient g."""
        sums: list[Tensor] = []
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            step = _adam_step(group, [self.state[p] for p in params], self._taken)
            sums.append(_products(step, step))
            sums.append(_products(step, [p.grad for p in params if p.grad is not None]))
        square, along = torch.stack(sums).view(-1, 2).sum(0).tolist()
        return square, along


def _adam_step(group: Group, states: list[dict[str, Any]], taken: int) -> list[Tensor]:
    """-lr·m̂ / (√v̂ + eps), as Adam's kernel has just taken it."""
    beta1, beta2 = group["betas"]
    below = torch._foreach_div([state["exp_avg_sq"] for state in states], 1 - beta2**taken)
    torch._foreach_sqrt_(below)
    torch._foreach_add_(below, group["eps"])
    step = torch._foreach_div([state["exp_avg"] for state in states], list(below))
    torch._foreach_mul_(step, -group["lr"] / (1 - beta1**taken))
    return list(step)


def _products(one: list[Tensor], other: list[Tensor]) -> Tensor:
    """The sum of the products of all numbers, as float64."""
    return torch.stack([torch.sum(product, dtype=torch.float64) for product in torch._foreach_mul(one, other)]).sum()


@dataclass(frozen=True)
class AdamToSgd(AdamW):
    """AdamW until the share `at` of training, then SGD with momentum β₁ at `factor` times the rate.

    The fixed switch that Keskar & Socher 2017, section 2, compare SWATS with (arXiv 1712.07628).
    """

    at: float = knob(0.5, 0.0, 1.0)
    factor: float = knob(50.0, 0.0)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        optimizer = AdamThenSgd(groups)
        optimizer.factor = self.factor
        return optimizer

    @property
    def moves(self) -> bool:
        return super().moves or self.at < 1

    def turn(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        super().turn(optimizer, progress)
        assert isinstance(optimizer, AdamThenSgd)
        if progress >= self.at and self.at < 1 and not optimizer.sgd:
            optimizer.switch()


@dataclass(frozen=True)
class Swats(AdamW):
    """SWATS: Adam that finds out by itself when to go on with SGD, and at which rate.

    It switches when the rate that would make a step of SGD as long as Adam's, projected on it, lies within `eps` of
    its own running average (bias-corrected, over β₂). How far they are apart grows with the rate and with the noise of
    the gradients; `tolerance`, which is not in the paper, is a threshold relative to the average. With both at 0 it
    never switches. Where `lr` moves, the average is taken relative to it, and the rate of SGD goes on in proportion to
    it. A rate that is not above zero is not switched to. The paper, with a constant rate, leaves both open.
    Source: Keskar & Socher 2017, algorithm 1 (arXiv 1712.07628).
    """

    together: ClassVar[bool] = False

    beta2: float = knob(0.999, 0.0, 0.99999)
    eps: float = knob(1e-9, 0.0)
    tolerance: float = knob(0.0, 0.0, 1.0)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return ProjectingAdam(groups, self.eps, self.tolerance)
