"""Schedule-free AdamW: an average of the iterates takes the place of a falling rate."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from steelyard.knobs import knob
from steelyard.training.optimizers.classic import AdamW
from steelyard.training.optimizers.fused import FusedAdam, Group
from steelyard.training.optimizers.optimizer import Groups


class AveragingAdam(FusedAdam):
    """Gradients are taken at y, between the iterates z of Adam without momentum and their average x.

    While it trains the parameters are y; after `eval()` they are x, after `train()` y again. The average is weighted
    by the square of the rate, so that a warm-up counts little. Weight decay pulls z along y.
    Source: Defazio et al. 2024, equations 3 to 5 and algorithm 1 (arXiv 2405.15682).
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients as they are."""
        for group in self.param_groups:
            if group["weight_decay"]:
                live = [p for p in group["params"] if p.grad is not None]
                torch._foreach_add_([self.moved(p) for p in live], live, alpha=-group["lr"] * group["weight_decay"])
        self.move()
        for group in self.param_groups:
            weight = group["lr"] ** 2
            group["weights"] = group.get("weights", 0.0) + weight
            _, averages, iterates = self._tensors(group)
            if weight > 0 and averages:
                torch._foreach_lerp_(averages, iterates, weight / group["weights"])
        self.train()

    @torch.no_grad()
    def eval(self) -> None:
        """Put the average x into the parameters."""
        for group in self.param_groups:
            params, averages, _ = self._tensors(group)
            if params:
                torch._foreach_copy_(params, averages)

    @torch.no_grad()
    def train(self) -> None:
        """Put y, where gradients are taken, into the parameters."""
        for group in self.param_groups:
            params, averages, iterates = self._tensors(group)
            if params:
                torch._foreach_copy_(params, torch._foreach_lerp(iterates, averages, group["betas"][0]))

    def constants(self, group: Group) -> tuple[float, float, float]:
        """Adam without momentum, whose work the average does; the kernel's decay would pull z along itself."""
        return 0.0, group["betas"][1], 0.0

    def moved(self, parameter: Tensor) -> Tensor:
        """The iterate z of a parameter; it and the average begin where the parameter is."""
        state = self.state[parameter]
        if "z" not in state:
            state["z"], state["x"] = parameter.detach().clone(), parameter.detach().clone()
        iterate: Tensor = state["z"]
        return iterate

    def _tensors(self, group: Group) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """The parameters that have taken a step, their averages x and their iterates z."""
        params = [p for p in group["params"] if "z" in self.state[p]]
        return params, [self.state[p]["x"] for p in params], [self.state[p]["z"] for p in params]


@dataclass(frozen=True)
class ScheduleFree(AdamW):
    """Schedule-free AdamW: wants a constant rate (a warm-up helps) and predicts with an average of its iterates.

    `beta1` is how close to the average gradients are taken. Source: Defazio et al. 2024 (arXiv 2405.15682).
    """

    beta2: float = knob(0.999, 0.0, 0.99999)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return AveragingAdam(groups)

    def shrink(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        super().shrink(optimizer, progress)
        assert isinstance(optimizer, AveragingAdam)
        optimizer.train()

    def shrunk(self, optimizer: torch.optim.Optimizer, params: list[Tensor]) -> list[Tensor]:
        """The L1 pull moves the iterates; their average follows."""
        return [optimizer.state[p]["z"] for p in params if "z" in optimizer.state[p]]
