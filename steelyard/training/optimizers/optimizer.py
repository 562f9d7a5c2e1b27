"""What every optimizer has: a rate, the pulls towards zero, and how they come into a torch optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.knobs import Knob, Schedule, knob, value
from steelyard.parts import Part

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class Optimizer(Part):
    """A rate and three pulls of the weights towards zero; norms and biases are not pulled unless `decay_all`.

    `weight_decay` is decoupled from the gradient: a step shrinks weights by lr·weight_decay of themselves (Loshchilov
    & Hutter 2019, arXiv 1711.05101). `l2` is the classical penalty, added to the gradient as l2·weight. `l1` moves
    weights towards zero by lr·l1 a step and stops there: proximal gradient descent on Tibshirani's lasso penalty.

    `together`: what it does to one number of a network depends on no other number, so that equal members of a fleet
    share one torch optimizer over stacked tensors. `passes`: with 2, `step(again)` has the gradients computed anew.
    """

    together: ClassVar[bool] = True
    passes: ClassVar[int] = 1
    native: ClassVar[Literal["weight_decay", "l2"]] = "l2"  # the pull the torch optimizer does itself

    lr: Knob = knob(1e-3, 0.0)
    weight_decay: Knob = knob(0.0, 0.0)
    l2: Knob = knob(0.0, 0.0)
    l1: Knob = knob(0.0, 0.0)
    decay_all: bool = False

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        """The torch optimizer over groups of parameters; a group is pulled or it is not."""
        raise NotImplementedError

    def settings(self, progress: float) -> dict[str, Any]:
        """What the knobs stand at, but for the pulls, in the words of the torch optimizer's groups."""
        return {"lr": value(self.lr, progress)}

    def build(self, decaying: Sequence[Tensor], others: Sequence[Tensor]) -> torch.optim.Optimizer:
        """The torch optimizer of those tensors, of which `others` are only pulled with `decay_all`."""
        everything = [*decaying, *others]
        parted = (everything, []) if self.decay_all else (list(decaying), list(others))
        if self.weight_decay == 0 and self.l2 == 0 and self.l1 == 0:  # one group is quicker than two
            parted = ([], everything)
        groups = [
            {"params": params, "pulled": pulled}
            for given, pulled in zip(parted, (True, False), strict=True)
            for params in _alike(given)
        ]
        optimizer = self.create(groups)
        foreign = self.weight_decay if self.native == "l2" else self.l2
        if foreign != 0:
            optimizer.register_step_pre_hook(_pull)
        self.turn(optimizer, 0.0)
        return optimizer

    @property
    def moves(self) -> bool:
        """Whether any knob is a schedule: then `turn` has something to do at every step."""
        return any(isinstance(getattr(self, f.name), Schedule) for f in fields(self))

    def turn(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        """Set the knobs of a built optimizer to where they stand at `progress`."""
        settings = self.settings(progress)
        decay, l2 = value(self.weight_decay, progress), value(self.l2, progress)
        own, added = ("weight_decay", "l2") if self.native == "weight_decay" else ("decay", "weight_decay")
        for group in optimizer.param_groups:
            group.update(settings)
            group[own], group[added] = (decay, l2) if group["pulled"] else (0.0, 0.0)

    @property
    def shrinks(self) -> bool:
        """Whether `shrink` has anything to do after a step."""
        return self.l1 != 0

    @torch.no_grad()
    def shrink(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        """The L1 pull, after a step."""
        pull = value(self.l1, progress) * value(self.lr, progress)
        if pull > 0:
            for group in optimizer.param_groups:
                for weight in self.shrunk(optimizer, group["params"]) if group["pulled"] else ():
                    weight.copy_(F.softshrink(weight, pull))

    def shrunk(self, optimizer: torch.optim.Optimizer, params: list[Tensor]) -> list[Tensor]:
        """The tensors that the L1 pull moves: the parameters themselves."""
        return params


def _alike(tensors: list[Tensor]) -> list[list[Tensor]]:
    """The tensors by device and type: kernels take those of one sort at a time."""
    sorts: dict[object, list[Tensor]] = {}
    for tensor in tensors:
        sorts.setdefault((tensor.device, tensor.dtype), []).append(tensor)
    return list(sorts.values())


@torch.no_grad()
def _pull(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """The pull that a torch optimizer does not do itself, before its step: it sees the weights of the gradient."""
    for group in optimizer.param_groups:
        live = [p for p in group["params"] if p.grad is not None] if group["pulled"] else []
        if live and group.get("l2"):
            torch._foreach_add_([p.grad for p in live], live, alpha=group["l2"])
        if live and group.get("decay"):
            torch._foreach_mul_(live, 1 - group["lr"] * group["decay"])


def parameters(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """The trainable parameters that decay (two axes or more: matrices, kernels, tables) and the others (vectors)."""
    trained = [p for p in network.parameters() if p.requires_grad]
    return [p for p in trained if p.ndim >= 2], [p for p in trained if p.ndim < 2]
