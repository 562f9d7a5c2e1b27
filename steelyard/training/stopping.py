"""When a training run ends: after its epochs, or when a rule says so that looks at the losses so far.

A rule is a pure function of two curves, the mean training loss of every epoch and the loss on held rows after it. What
it would have done in a run that is over can be replayed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, ClassVar

from steelyard.errors import UserError
from steelyard.knobs import Spelled, knob, read_call
from steelyard.parts import Part, check_ranges

STRIP = 5  # epochs in a training strip, as Prechelt 1998 has it


@dataclass(frozen=True)
class Stop:
    """Where a rule ended a run: the epoch (from 1), the epoch of the lowest held loss up to there, and that loss."""

    epoch: int
    best_epoch: int
    best_loss: float


def _argument(low: float, high: float | None = None) -> Any:
    """A field that must be given, in a range with both ends."""
    return field(metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Rule(Spelled):
    """Says after an epoch whether training ends there.

    A loss that is not a number counts as infinite. Shares of a loss are shares of its size, so that losses below zero
    do no harm; any rise above a lowest loss of exactly zero is infinitely large.
    """

    def __post_init__(self) -> None:
        check_ranges(self, self.word)
        for f in fields(self):
            given = getattr(self, f.name)
            if isinstance(given, bool) or not isinstance(given, int | float):
                raise TypeError(f"{self.word}.{f.name} is a number")
            if f.type is int:
                object.__setattr__(self, f.name, _whole(given, f"{self.word}.{f.name}"))

    def stops(self, train: Sequence[float], held: Sequence[float]) -> bool:
        """Whether training ends after the last epoch of these curves, which hold one loss for every epoch so far."""
        raise NotImplementedError

    @staticmethod
    def parse(text: str) -> "Rule":
        """The rule from its text, such as `PQ(0.5)`; its word may be written small or large."""
        word, bracket, rest = text.partition("(")
        known = {known.lower(): known for known in RULES}
        return read_call(known.get(word.strip().lower(), word) + bracket + rest, RULES, "stopping rule")


@dataclass(frozen=True)
class GL(Rule):
    """Stops when the held loss is more than `alpha` percent above its lowest: GL(t) = 100 (E_va(t) / E_opt(t) - 1).

    Source: Prechelt 1998, "Early Stopping – But When?", in "Neural Networks: Tricks of the Trade", section 2.
    """

    word: ClassVar[str] = "GL"
    alpha: float = _argument(0.0)

    def stops(self, train: Sequence[float], held: Sequence[float]) -> bool:
        return generalization_loss(held) > self.alpha


@dataclass(frozen=True)
class PQ(Rule):
    """Stops when GL is more than `alpha` times the training progress, looked at after every `k`-th epoch.

    As long as training makes quick progress, a held loss that rises may still fall again.
    Source: Prechelt 1998, section 2: PQ(t) = GL(t) / P_k(t).
    """

    word: ClassVar[str] = "PQ"
    alpha: float = _argument(0.0)
    k: int = knob(STRIP, 2)

    def stops(self, train: Sequence[float], held: Sequence[float]) -> bool:
        return _strip_ends(held, self.k) and generalization_loss(held) > self.alpha * progress(train, self.k)


@dataclass(frozen=True)
class UP(Rule):
    """Stops when the held loss rose in `s` successive strips of `k` epochs, compared at their ends.

    Source: Prechelt 1998, section 2: UP_s stops after epoch t if UP_(s-1) stops after t - k and E_va(t) > E_va(t - k).
    """

    word: ClassVar[str] = "UP"
    s: int = _argument(1)
    k: int = knob(STRIP, 1)

    def stops(self, train: Sequence[float], held: Sequence[float]) -> bool:
        ends = [_counted(loss) for loss in held[self.k - 1 :: self.k]][-self.s - 1 :]
        rose = all(later > earlier for earlier, later in pairwise(ends))
        return _strip_ends(held, self.k) and len(ends) > self.s and rose


@dataclass(frozen=True)
class Patience(Rule):
    """Stops when the held loss has not improved for so many epochs.

    An improvement is a loss below the best one by more than `threshold`, a share of that best one. Smaller steps down
    leave the best one where it is, so that a slow descent counts once its steps add up.
    Source: the rule of most toolkits; shares as in PyTorch's ReduceLROnPlateau.
    """

    word: ClassVar[str] = "patience"
    epochs: int = _argument(1)
    threshold: float = knob(0.0, 0.0, 1.0)

    def stops(self, train: Sequence[float], held: Sequence[float]) -> bool:
        best, since = math.inf, 0
        for loss in held:
            bar = best - self.threshold * abs(best) if math.isfinite(best) else best
            best, since = (loss, 0) if loss < bar else (best, since + 1)
        return since >= self.epochs


RULES: dict[str, type[Rule]] = {rule.word: rule for rule in (GL, PQ, UP, Patience)}


def generalization_loss(held: Sequence[float]) -> float:
    """GL(t): by how many percent the last held loss is above the lowest one so far; never below 0."""
    losses = [_counted(loss) for loss in held]
    return 100 * _excess(losses[-1], min(losses)) if losses else 0.0


def progress(train: Sequence[float], k: int = STRIP) -> float:
    """P_k(t): by how many thousandths the mean training loss of the last `k` epochs is above their lowest."""
    strip = [_counted(loss) for loss in train[-k:]]
    return 1000 * _excess(sum(strip) / len(strip), min(strip)) if strip else 0.0


def replay(rule: Rule, train: Sequence[float], held: Sequence[float]) -> Stop | None:
    """Where the rule ends a run with these losses per epoch; None when it lets the run go on to its end.

    Raises ValueError unless both curves have one loss for every epoch.
    """
    if len(train) != len(held):
        raise ValueError(f"one training loss and one held loss per epoch, got {len(train)} and {len(held)}")
    for epoch in range(1, len(held) + 1):
        if rule.stops(train[:epoch], held[:epoch]):
            best = min(range(epoch), key=lambda i: _counted(held[i]))
            return Stop(epoch, best + 1, held[best])
    return None


def _strip_ends(held: Sequence[float], k: int) -> bool:
    return len(held) > 0 and len(held) % k == 0


def _whole(given: float, name: str) -> int:
    if given != int(given):
        raise UserError(f"{name} must be a whole number, got {given:g}")
    return int(given)


def _counted(loss: float) -> float:
    """The loss, infinite when it is not a number."""
    return math.inf if math.isnan(loss) else loss


def _excess(loss: float, lowest: float) -> float:
    """The share by which a loss is above the lowest one; infinite above a lowest one of zero."""
    if not loss > lowest:
        return 0.0
    return (loss - lowest) / abs(lowest) if lowest else math.inf


@dataclass(frozen=True)
class Stopping(Part):
    """Train for `epochs` passes over the data, or less.

    `rule` ends training early by the loss on a share `held` of the train rows, which are then not learnt from; the
    weights come back that were best on them. Without a rule no row is held. `seconds`: schedules run by the clock
    once it is ahead of the steps, so that training ends, annealed, in that time; such a run is not reproducible bit
    for bit.
    """

    epochs: int = knob(30, 1)
    rule: Rule | None = None
    held: float = knob(0.15, 0.02, 0.5)
    seconds: float | None = knob(None, 0.0)
