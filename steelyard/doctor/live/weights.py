"""How far a step moves the weights, and the gradients it takes: measured around an optimizer's own `step`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

PART = 1 << 16  # of the weights of a tensor that are compared: at equal distances where there are more


@dataclass(frozen=True)
class Moved:
    """One layer in one step; NaN where it could not be measured."""

    update: float  # ‖change‖ / ‖weights‖
    change: float
    gradient: float  # norm


class Weights:
    """The parameters of a model by layer, and what a step does to them."""

    def __init__(self, model: nn.Module) -> None:
        self.layers: dict[str, list[Tensor]] = {}
        self.kinds: dict[str, str] = {}
        self.layer_of: dict[Tensor, str] = {}
        for name, module in model.named_modules():
            own = [p for p in module.parameters(recurse=False) if p not in self.layer_of]
            if own:
                called = name or type(module).__name__
                self.layers[called], self.kinds[called] = own, type(module).__name__
                self.layer_of.update(dict.fromkeys(own, called))
        self.before: list[Tensor] = []
        self.mine: list[Tensor] = []
        self.wide: list[bool] = []

    def held_by(self, optimizer: torch.optim.Optimizer) -> list[Tensor]:
        """The trained parameters of the model that an optimizer holds."""
        groups = (p for group in optimizer.param_groups for p in group["params"])
        return [p for p in groups if p in self.layer_of and p.requires_grad]

    def start(self, mine: Sequence[Tensor]) -> None:
        """Remember the weights before a step."""
        self.mine = list(mine)
        self.wide = [p.dim() > 1 for p in self.mine]
        self.before = [part(p).clone() for p in self.mine]

    def end(self, norms: dict[int, Tensor]) -> dict[str, Moved]:
        """What the step did to each layer; `norms` are those of gradients, by their place in what `start` was given."""
        if not self.mine:
            return {}
        moved = torch._foreach_sub([part(p) for p in self.mine], self.before)
        numbers = together([*torch._foreach_norm(moved), *torch._foreach_norm(self.before), *norms.values()])
        many = len(self.mine)
        slopes = dict(zip(norms, numbers[2 * many :], strict=True))
        found: dict[str, list[float]] = {}
        wide = {self.layer_of[p] for p, is_wide in zip(self.mine, self.wide, strict=True) if is_wide}
        for place, p in enumerate(self.mine):
            sums = found.setdefault(self.layer_of[p], [0.0, 0.0, 0.0, 0.0])
            times = p.numel() / max(1, self.before[place].numel())
            sums[3] += numbers[place] ** 2 * times
            sums[2] += slopes.get(place, 0.0) ** 2
            if self.wide[place] or self.layer_of[p] not in wide:
                sums[0] += numbers[place] ** 2 * times
                sums[1] += numbers[many + place] ** 2 * times
        self.mine, self.before = [], []
        return {
            name: Moved(
                math.sqrt(change) / math.sqrt(size) if size > 0 else float("nan"), math.sqrt(all_), math.sqrt(slope)
            )
            for name, (change, size, slope, all_) in found.items()
        }


def part(p: Tensor) -> Tensor:
    """Some of the weights of a tensor, a view."""
    held = p.detach()
    return held if held.numel() <= PART else held.reshape(-1)[:: -(-held.numel() // PART)]


def gradient_norms(parameters: Sequence[Tensor]) -> dict[int, Tensor]:
    """The norms of the gradients there are, by the place of their parameter."""
    known = {
        place: p.grad.coalesce().values() if p.grad.is_sparse else p.grad
        for place, p in enumerate(parameters)
        if p.grad is not None and p.numel()
    }
    return dict(zip(known, torch._foreach_norm(list(known.values())), strict=True)) if known else {}


def together(tensors: Sequence[Tensor]) -> list[float]:
    """Numbers of tensors, fetched from where they lie at once."""
    if not tensors:
        return []
    where = tensors[0].device
    if any(each.dtype != torch.float32 or each.device != where for each in tensors):
        tensors = [each.to(where, torch.float32) for each in tensors]
    found: list[float] = torch.stack(list(tensors)).tolist()
    return found
