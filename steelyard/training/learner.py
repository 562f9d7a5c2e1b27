"""A learner: the optimizer of neighbouring members of a team whose recipes have the same one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.training.member import Runner
from steelyard.training.optimizers import parameters


def part_of(tensor: Tensor, span: slice, size: int) -> Tensor:
    """A view of the members in `span` of a tensor that a team of `size` has; a member alone has no axis of members."""
    if size == 1:
        return tensor.detach()
    return tensor.detach()[span.start] if span.stop - span.start == 1 else tensor.detach()[span]


class Learner:
    """Moves the weights of the members in `span` by one torch optimizer.

    Where these are all members, it works on the parameters themselves, otherwise on views of them and of their
    gradients.
    """

    def __init__(self, module: nn.Module, runners: Sequence[Runner], span: slice) -> None:
        self.first, self.span, self.size = runners[span.start], span, len(runners)
        self.part = self.first.plan.optimizer
        named = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.sources = list(named.values())
        self._whole = self.size == 1 or (span == slice(0, self.size) and self.part.together)
        self.tensors: list[Tensor] = (
            list(self.sources) if self._whole else [part_of(p, span, self.size) for p in self.sources]
        )
        decaying = {id(p) for p in parameters(self.first.member.network)[0]}
        names = {name for name, p in self.first.member.network.named_parameters() if id(p) in decaying}
        pairs = list(zip(named, self.tensors, strict=True))
        self.optimizer = self.part.build([t for n, t in pairs if n in names], [t for n, t in pairs if n not in names])
        self.part.turn(self.optimizer, self.first.progress)

    def zero(self) -> None:
        """Forget the gradients."""
        for source in self.sources:
            source.grad = None

    def step(self, again: Callable[[], Tensor], scaler: torch.amp.GradScaler | None) -> None:
        """Move the weights along their gradients, with every knob where it stands."""
        progress = self.first.progress
        if self.part.moves:
            self.part.turn(self.optimizer, progress)
        if not self._whole:
            for tensor, source in zip(self.tensors, self.sources, strict=True):
                tensor.grad = None if source.grad is None else part_of(source.grad, self.span, self.size)
        if self.part.passes > 1:
            self.optimizer.step(again)
        elif scaler:
            scaler.step(self.optimizer)
        else:
            self.optimizer.step()
        if self.part.shrinks:
            self.part.shrink(self.optimizer, progress)

    def adopt(self, old: "Learner", kept: Sequence[int]) -> None:
        """Go on with the optimizer of a larger team, of which the members at these places of its span are left."""
        self.optimizer, now = old.optimizer, dict(zip(map(id, old.tensors), self.tensors, strict=True))
        states: dict[Tensor, Any] = {}
        for before in old.tensors:
            state: Mapping[str, Any] = self.optimizer.state.pop(before, {})
            states[now[id(before)]] = {name: _kept(value, before, kept, old) for name, value in state.items()}
        for group in self.optimizer.param_groups:
            group["params"] = [now[id(before)] for before in group["params"]]
        self.optimizer.state.update(states)


def _kept(value: Any, before: Tensor, kept: Sequence[int], old: Learner) -> Any:
    several = old.span.stop - old.span.start > 1
    if not several or not isinstance(value, Tensor) or value.shape != before.shape:
        return value
    return value[kept[0]].clone() if len(kept) == 1 else value[list(kept)]
