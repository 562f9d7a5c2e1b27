"""Schedules that go up and down: one cycle, warm restarts, equal cycles, triangles."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import ClassVar

from steelyard.errors import UserError
from steelyard.knobs.pieces import NEAR
from steelyard.knobs.ranges import knob
from steelyard.knobs.schedule import Schedule, Warmed, half_cosine, mixed


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Straight up to `peak`, straight down again, and in the last `tail` of training further down.

    It begins at `first`·peak, comes back to it after the cycle and ends at `last`·peak.
    Source: Smith & Topin 2018, "Super-Convergence", section 3 (arXiv 1708.07120).
    """

    word: ClassVar[str] = "onecycle"
    levels: ClassVar[tuple[str, ...]] = ("peak",)
    peak: float
    first: float = knob(0.04, 0.0)
    last: float = knob(0.0, 0.0)
    tail: float = knob(0.1, 0.0, 1.0)

    def at(self, progress: float) -> float:
        half, first = (1 - self.tail) / 2, self.first * self.peak
        if progress < 2 * half:
            return mixed(self.peak, first, abs(progress / half - 1))
        return mixed(first, self.last * self.peak, (progress - 2 * half) / self.tail) if self.tail else first

    def extremes(self) -> tuple[float, ...]:
        return (self.peak, self.first * self.peak, self.last * self.peak)


class Cycles(Warmed):
    """Descents from `start` to `end` by half a cosine, one after the other; subclasses say where each ends."""

    start: float
    end: float

    @cached_property
    def borders(self) -> tuple[float, ...]:
        """The progress at the end of each cycle; the last one may lie beyond the end of training."""
        raise NotImplementedError

    def after(self, progress: float) -> float:
        borders = self.borders
        cycle = min(bisect_right(borders, progress), len(borders) - 1)
        begin, end = borders[cycle - 1] if cycle else self.warmup, borders[cycle]
        return half_cosine(self.start, self.end, (progress - begin) / (end - begin)) if end > begin else self.end

    def ends(self) -> tuple[float, ...]:
        return tuple(dict.fromkeys((*self.borders[:-1], 1.0)))


@dataclass(frozen=True)
class Restarts(Cycles):
    """Cosine annealing with warm restarts: end + ½(start - end)(1 + cos(π·T_cur/T_i)) with T_i = T_0·T_mult^i.

    `cycles` whole cycles fill what the warm-up leaves. With `T_0`, the share of training of the first cycle, as many
    begin as find room, and the last may be cut short by the end of training.
    Source: Loshchilov & Hutter 2017, "SGDR", equation 5 (arXiv 1608.03983).
    """

    word: ClassVar[str] = "sgdr"
    start: float
    end: float
    cycles: int = knob(1, 1, 100)
    T_mult: float = knob(2.0, 0.1, 10.0)
    T_0: float | None = knob(None, 0.001, 1.0)
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.T_0 is not None and (self.cycles > 1 or self.T_mult < 1):
            raise UserError("sgdr with T_0 needs T_mult of at least 1 and no cycles: they follow from the two")

    @cached_property
    def borders(self) -> tuple[float, ...]:
        if self.T_0 is None:
            after = list(accumulate(self.T_mult**i for i in range(self.cycles)))
            return (*(self.warmup + (1 - self.warmup) * each / after[-1] for each in after[:-1]), 1.0)
        found, length = [self.warmup + self.T_0], self.T_0
        while found[-1] < 1 - NEAR:
            length *= self.T_mult
            found.append(found[-1] + length)
        return (*found[:-1], max(found[-1], 1.0))


@dataclass(frozen=True)
class Cyclic(Cycles):
    """As many equal descents as `cycles`: ½·start·(1 + cos(π·mod(t, 1/cycles)·cycles)) where `end` is 0.

    Source: Huang et al. 2017, "Snapshot Ensembles", equation 2 (arXiv 1704.00109).
    """

    word: ClassVar[str] = "cyclic"
    start: float
    end: float
    cycles: int = knob(5, 1, 100)
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    @cached_property
    def borders(self) -> tuple[float, ...]:
        rest = 1 - self.warmup
        return (*(self.warmup + rest * cycle / self.cycles for cycle in range(1, self.cycles)), 1.0)


@dataclass(frozen=True)
class Triangular(Schedule):
    """As many triangles as `cycles`: straight up from `low` to `high` and straight back.

    The height of each is `decay` times that of the one before: 1 is the paper's "triangular", ½ its "triangular2".
    In cycle i, with x = |2·(progress·cycles - i) - 1|: low + (high - low)·decay^i·(1 - x).
    Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3 (arXiv 1506.01186).
    """

    word: ClassVar[str] = "triangular"
    levels: ClassVar[tuple[str, ...]] = ("high", "low")
    low: float
    high: float
    cycles: int = knob(4, 1, 100)
    decay: float = knob(1.0, 0.0, 1.0)

    def at(self, progress: float) -> float:
        position = progress * self.cycles
        cycle = min(int(position), self.cycles - 1)
        top = mixed(self.low, self.high, self.decay**cycle)
        return mixed(top, self.low, abs(2 * (position - cycle) - 1))

    def ends(self) -> tuple[float, ...]:
        return tuple(cycle / self.cycles for cycle in range(1, self.cycles + 1))
