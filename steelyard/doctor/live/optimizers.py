"""What is watched around the steps of one optimizer: whether gradients add up, are clipped, or are not finite."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from steelyard.doctor.live.rules import SAMPLES
from steelyard.doctor.live.weights import together


@dataclass
class Watched:
    """An optimizer that holds parameters of the model. Two hooks hang on one of them, which stands for all."""

    optimizer: torch.optim.Optimizer
    parameters: list[Tensor]
    due: bool = True
    resumed: bool = False  # it had a state when it was first seen
    norms: dict[int, Tensor] | None = None  # of the gradients, before the step
    stepped: tuple[int, int] = (0, 0)  # the gradient after the last step: its identity and version
    old: Tensor | None = None  # the gradient, where it is still that of the last step as a look begins
    carried: bool = False  # the gradient holds what it was before the last step
    adding: int = 0  # such steps in a row, of those that were looked at
    raw: Tensor | None = None  # norm of the gradient as it came
    left: deque[float] = field(default_factory=lambda: deque(maxlen=2 * SAMPLES))  # share of it that the step takes
    still: int = 0  # steps in a row that changed nothing, of those that were looked at
    moved: bool = False  # some step changed something
    sentry: Tensor | None = None  # a small parameter that the gradient reaches last
    one: Tensor | None = None
    handles: list[Any] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The largest learning rate of its groups; NaN where it has none."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups if "lr" in group]
        return max(rates, default=float("nan"))

    @property
    def resting(self) -> set[Tensor]:
        """The parameters whose rate is zero."""
        return {p for group in self.optimizer.param_groups if not group.get("lr", 1) for p in group["params"]}

    def choose(self) -> None:
        """Choose the parameters that are watched, among those with a gradient."""
        if self.one is not None:
            return
        known = [p for p in self.parameters if p.grad is not None and not p.grad.is_sparse]
        if not known:
            return
        self.sentry = next((p for p in known if p.dim() == 1), min(known, key=Tensor.numel))
        self.one = next((p for p in reversed(known) if p.dim() > 1), known[-1])

    def look(self) -> None:
        """Look at the next step: at the backward passes before it, too."""
        self.due = True
        if self.one is None or self.handles:
            return
        there = self.one.grad
        self.old = there if there is not None and (id(there), there._version) == self.stepped else None
        self.handles = [
            self.one.register_hook(self._backward),  # type: ignore[no-untyped-call]
            self.one.register_post_accumulate_grad_hook(self._accumulated),  # type: ignore[no-untyped-call]
        ]

    def _backward(self, _: Tensor) -> None:
        """Before a gradient is added to what is there."""
        assert self.one is not None
        there = self.one.grad
        if there is None or not bool(there.any()):
            self.carried = False
        elif there is self.old and there._version == self.stepped[1]:
            self.carried = True

    def _accumulated(self, p: Tensor) -> None:
        if p.grad is not None:
            self.raw = torch.linalg.vector_norm(p.grad)

    @property
    def broken(self) -> bool:
        """Whether the gradient is not finite; looked for at every step where that costs no waiting for a device."""
        p = self.sentry
        if p is None or p.grad is None or not (self.due or p.device.type == "cpu"):
            return False
        total = float(p.grad.sum())
        return total - total != 0

    def compare(self) -> None:
        """What clipping left of the gradient; the step comes next."""
        if self.one is not None and self.raw is not None and self.one.grad is not None:
            now, came = together([torch.linalg.vector_norm(self.one.grad), self.raw])
            if came > 0:
                self.left.append(now / came)

    def done(self, looked: bool, changed: bool) -> None:
        """A step is over; `looked` says whether it was measured."""
        if looked:
            self.adding = self.adding + 1 if self.carried else 0
            self.still = 0 if changed else self.still + 1
            self.moved = self.moved or changed
            self.due, self.carried, self.raw, self.norms, self.old = False, False, None, None, None
            self.close()
        there = None if self.one is None else self.one.grad
        self.stepped = (0, 0) if there is None else (id(there), there._version)

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self.handles:
            handle.remove()
        self.handles = []
