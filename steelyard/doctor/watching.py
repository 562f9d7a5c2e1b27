"""The user's own steps under observation: what gradients come in, what the optimizer is given, what moves.

Steps are done on one batch with weights put back each time and gradients left as the step leaves them, so that what a
step should have cleared shows in the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import Unusable
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured
from steelyard.doctor.guard import optimizers, untouched
from steelyard.doctor.stepping import stepped

CALLS = 40  # at the most: a step that accumulates gradients over many batches steps rarely
ROUNDING = 1e-4  # of the largest gradient
MOODY = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)  # they act otherwise in eval mode


@dataclass
class Watched:
    """What was seen over the calls of a step."""

    calls: int = 0
    backwards: int = 0  # of the first parameter that gets a gradient
    steps: int = 0  # of an optimizer
    leftover: int = 0  # backward passes after a step that found the gradient of before
    first_after: int = 0  # backward passes that came first after a step
    given: list[float] = field(default_factory=list)  # gradient norms at the optimizer's steps
    came: list[float] = field(default_factory=list)  # norms of what backward brought since the step before
    moved: set[str] = field(default_factory=set)
    norms: dict[str, float] = field(default_factory=dict)  # the largest gradient that backward brought each parameter
    eval_while_learning: bool = False
    left_in_eval: bool = False

    @property
    def brought(self) -> set[str]:
        """Parameters that got a gradient above rounding: a bias before a normalisation gets none."""
        most = max(self.norms.values(), default=0.0)
        return {name for name, norm in self.norms.items() if norm > ROUNDING * most}


def watched(case: Case) -> Watched:
    """Watch the user's own step, done once. Raises NotMeasured where there is neither a step nor an optimizer."""
    if "watched" not in case.kept:
        if not case.batches:
            raise NotMeasured("there are no train batches")
        if case.step is None and case.optimizer is None:
            raise NotMeasured("neither a step nor an optimizer was given")
        case.kept["watched"] = _watch(case)
    found: Watched = case.kept["watched"]
    return found


def _watch(case: Case) -> Watched:
    seen = Watched()
    named = [(name, p) for name, p in case.model.named_parameters() if p.requires_grad]
    if not named:
        raise NotMeasured("nothing can be trained")
    acting = optimizers(case)
    fresh, arriving = {"after": False}, dict[str, Tensor]()
    handles = []
    with untouched(case), torch.enable_grad():
        case.model.train()
        for p in case.model.parameters():
            p.grad = None

        def coming(name: str) -> Callable[[Tensor], None]:
            def hook(grad: Tensor) -> None:
                arriving[name] = grad.detach().clone()
                seen.norms[name] = max(seen.norms.get(name, 0.0), float(grad.norm()))

            return hook

        def landed(name: str, first: bool) -> Callable[[Tensor], None]:
            def hook(p: Tensor) -> None:
                if p.grad is None or name not in arriving:
                    return
                new = float(arriving[name].norm())
                seen.backwards += first
                sums[name] = sums.get(name, 0.0) + new**2
                if fresh["after"] and first:
                    seen.first_after += 1
                    apart = float((p.grad - arriving[name]).norm())
                    seen.leftover += apart > 1e-3 * max(new, 1e-12)
                    fresh["after"] = False

            return hook

        def stepping(optimizer: torch.optim.Optimizer, *_: object) -> None:
            grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            seen.given.append(float(sum(float(g.float().square().sum()) for g in grads)) ** 0.5)
            seen.came.append(sum(sums.values()) ** 0.5)
            sums.clear()

        def done(*_: object) -> None:
            seen.steps += 1
            fresh["after"] = True

        def entered(module: nn.Module, *_: object) -> None:
            if torch.is_grad_enabled() and not module.training:
                still.add(id(module))

        sums: dict[str, float] = {}
        still: set[int] = set()
        moody = [m for m in case.model.modules() if isinstance(m, MOODY)]
        for m in moody:
            handles.append(m.register_forward_pre_hook(entered))
        order = [n for n, _ in named]
        for name, p in named:
            handles.append(p.register_hook(coming(name)))  # type: ignore[no-untyped-call]
            after = p.register_post_accumulate_grad_hook(landed(name, name == order[0]))  # type: ignore[no-untyped-call]
            handles.append(after)
        for optimizer in acting:
            handles.append(optimizer.register_step_pre_hook(stepping))
            handles.append(optimizer.register_step_post_hook(done))
        starts = {name: p.detach().clone() for name, p in named}
        try:
            for number in range(CALLS):
                for name, p in named:
                    with torch.no_grad():
                        p.copy_(starts[name])
                case.model.train()
                torch.manual_seed(0)
                stepped(case, case.batches[0], number)
                seen.calls += 1
                seen.moved |= {name for name, p in named if not torch.equal(p, starts[name])}
                seen.left_in_eval |= not case.model.training
                if seen.steps >= 3 and seen.first_after >= 2:
                    break
                if case.left() < 3:
                    break
        except Unusable as reason:
            raise NotMeasured(str(reason)) from reason
        finally:
            for handle in handles:
                handle.remove()
    seen.eval_while_learning = bool(moody) and len(still) == len(moody)
    return seen
