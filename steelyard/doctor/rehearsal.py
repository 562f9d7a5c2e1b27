"""A rehearsal: some hundred steps of the user's own training, watched and then undone.

Several checks look at it, so that it is done once. The same batch's loss before and after all steps is compared, which
is free of the noise from batch to batch.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import Batch, Unusable
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured
from steelyard.doctor.guard import untouched
from steelyard.doctor.stepping import stepped

STEPS = 400  # at the most
EARLY = 30
TIME, MOST = 0.12, 10.0  # share of the time that is left, and seconds, at the most
HELD = 5  # one batch in so many is held back where there is no dev
RATE = 1e-3  # of Adam, where there is neither an optimizer nor a step
COMPARED = 6  # batches whose loss is taken before and after


@dataclass(frozen=True)
class Rehearsal:
    """What was seen: `losses` of the steps, the mean loss of the same batches `before` and `after` all of them.

    `case` holds the trained copy, `seen` and `held` the batches it was and was not trained on. `broke` says where
    numbers ceased to be finite.
    """

    losses: tuple[float, ...]
    before: float
    after: float
    case: Case
    seen: Sequence[Batch]
    held: Sequence[Batch]
    own: bool  # with the user's optimizer or step
    broke: str | None = None
    rates: tuple[float, float] = (float("nan"), float("nan"))  # of the optimizer, before and after
    early_rate: float = float("nan")  # after `EARLY` steps

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return len(self.losses)

    @property
    def epochs(self) -> float:
        """How often each batch was seen."""
        return self.steps / max(1, len(self.seen))

    @property
    def fell(self) -> float:
        """The share of the loss that training took away; not finite where the loss is not."""
        return (self.before - self.after) / max(abs(self.before), 1e-12)


def rehearsed(case: Case) -> Rehearsal:
    """The rehearsal with the user's own settings, done once. Raises NotMeasured where none can be."""
    if "rehearsal" not in case.kept:
        case.kept["rehearsal"] = rehearse(case)
    found: Rehearsal = case.kept["rehearsal"]
    return found


def at_rate(case: Case, factor: float) -> Rehearsal:
    """The rehearsal with learning rates times a factor, done once for each factor."""

    def change(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor

    name = f"rate {factor:g}"
    if name not in case.kept:
        case.kept[name] = rehearse(case, change, rehearsed(case).steps)
    found: Rehearsal = case.kept[name]
    return found


def rehearse(
    case: Case,
    change: Callable[[torch.optim.Optimizer], None] | None = None,
    steps: int = STEPS,
    seed: int = 0,
) -> Rehearsal:
    """Train for up to `steps` steps in the time there is, with the optimizer changed beforehand, and undo it."""
    if not case.batches:
        raise NotMeasured("there are no train batches")
    if not any(p.requires_grad for p in case.model.parameters()):
        raise NotMeasured("nothing can be trained")
    seen, held = _parts(case)
    own = case.optimizer is not None or case.step is not None
    with untouched(case), torch.enable_grad():
        torch.manual_seed(seed)
        trained = [p for p in case.model.parameters() if p.requires_grad]
        acting = case if own else replace(case, optimizer=torch.optim.Adam(trained, RATE))
        if change is not None and acting.optimizer is not None:
            change(acting.optimizer)
        case.model.train()
        start, began = _mean_loss(case, seen), time.monotonic()
        limit, losses, broke = min(MOST, TIME * case.left()), [], None
        rate = early = _rate(acting)
        for number in range(steps):
            loss = stepped(acting, seen[number % len(seen)], number)
            losses.append(loss)
            early = _rate(acting) if number < EARLY else early
            if math.isinf(loss) or (math.isnan(loss) and not _finite(case.model)):
                broke = _where(case, seen[number % len(seen)], number)
                break
            if time.monotonic() - began > limit and number >= 3:
                break
        end = _mean_loss(case, seen)
        if broke is None and not _finite(case.model):
            broke = _where(case, seen[0], len(losses))
        return Rehearsal(tuple(losses), start, end, case.copy(), seen, held, own, broke, (rate, _rate(acting)), early)


def _parts(case: Case) -> tuple[Sequence[Batch], Sequence[Batch]]:
    """Batches to train on, and others to measure on."""
    if case.dev_batches or len(case.batches) < 2 * HELD:
        return case.batches, case.dev_batches
    return [b for k, b in enumerate(case.batches) if k % HELD], case.batches[::HELD]


def _mean_loss(case: Case, batches: Sequence[Batch]) -> float:
    """The loss of some batches in train mode without dropout, so that it can be compared."""
    found = []
    with torch.no_grad(), steady(case.model):
        for batch in batches[:COMPARED]:
            found.append(float(case.loss_of(batch).float().mean()))
    return sum(found) / len(found)


@contextmanager
def steady(model: nn.Module) -> Iterator[None]:
    """Train mode without dropout and with running statistics as they are."""
    modes = [(module, module.training) for module in model.modules()]
    kept = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for buffer, was in kept:
            buffer.copy_(was)


def _rate(case: Case) -> float:
    return float(case.optimizer.param_groups[0].get("lr", float("nan"))) if case.optimizer else float("nan")


def _finite(model: nn.Module) -> bool:
    return all(bool(torch.isfinite(p).all()) for p in model.parameters())


def _where(case: Case, batch: Batch, number: int) -> str:
    """In words, where numbers that are not finite stand first: in a weight, or in what a module puts out."""
    bad = [name for name, p in case.model.named_parameters() if not bool(torch.isfinite(p).all())]
    if bad:
        return f"after step {number} the weights {bad[0]} are not finite: the gradient of that step was not"
    place = first_bad_module(case, batch)
    return f"at step {number + 1} {place} is not finite"


def first_bad_module(case: Case, batch: Batch) -> str:
    """The first module that puts out NaN or infinity for a batch, in words."""
    found: list[str] = []

    def watch(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, _: object, out: object) -> None:
            if isinstance(out, Tensor) and out.is_floating_point() and not bool(torch.isfinite(out).all()):
                found.append(f"what {name or 'the model'} ({type(module).__name__}) puts out")

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in case.model.named_modules()]
    try:
        with torch.no_grad():
            case.loss_of(batch)
    except (Exception, Unusable):
        pass
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else "the loss"
