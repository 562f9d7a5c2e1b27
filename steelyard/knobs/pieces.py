"""Schedules in pieces: constant, after a warm-up, in drops, through given points."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from steelyard.errors import UserError
from steelyard.knobs.ranges import knob, number
from steelyard.knobs.schedule import Schedule, Warmed, mixed
from steelyard.knobs.spelled import short

NEAR = 1e-9  # shares of training closer than this are one moment: no step is so short


@dataclass(frozen=True)
class Constant(Schedule):
    """The same `value` all along; as a number it is shorter."""

    word: ClassVar[str] = "constant"
    levels: ClassVar[tuple[str, ...]] = ("value",)
    value: float

    def at(self, progress: float) -> float:
        return self.value


@dataclass(frozen=True)
class Warmup(Schedule):
    """A constant `value` after a straight rise from `floor` times it, over the first `share` of training.

    Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2 (arXiv 1706.02677).
    """

    word: ClassVar[str] = "warmup"
    levels: ClassVar[tuple[str, ...]] = ("value",)
    value: float
    share: float = knob(0.05, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def at(self, progress: float) -> float:
        if progress < self.share:
            return mixed(self.floor * self.value, self.value, progress / self.share)
        return self.value

    def extremes(self) -> tuple[float, ...]:
        return (self.value, self.floor * self.value) if self.share else (self.value,)


@dataclass(frozen=True)
class Step(Warmed):
    """start·factor^k after k drops: one whenever the share `every` of training is over, or one at each milestone.

    Drops are timed from the start of training, warm-up included; no regular one falls on the end.
    Source: He et al. 2016, "Deep Residual Learning", section 4.2, with milestones=(0.5, 0.75) (arXiv 1512.03385).
    """

    word: ClassVar[str] = "step"
    levels: ClassVar[tuple[str, ...]] = ("start",)
    start: float
    factor: float = knob(0.1, 0.0)
    every: float = knob(1 / 3, 0.001, 1.0)
    milestones: tuple[float, ...] = knob((), 0.0, 1.0)
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.milestones and self.every != 1 / 3:
            raise UserError("step drops every so often or at milestones: leave one of the two out")

    @cached_property
    def drops(self) -> tuple[float, ...]:
        """The progress at each drop."""
        regular = range(1, math.ceil(1 / self.every - NEAR))
        return tuple(sorted(self.milestones)) or tuple(k * self.every for k in regular)

    def after(self, progress: float) -> float:
        return self.dropped(bisect_right(self.drops, progress + NEAR))

    def dropped(self, times: int) -> float:
        """The value after so many drops; infinite beyond the range of numbers."""
        try:
            return float(self.start * self.factor**times)
        except OverflowError:
            return math.inf

    def extremes(self) -> tuple[float, ...]:
        return (*super().extremes(), self.dropped(len(self.drops)))


@dataclass(frozen=True, init=False)
class Piecewise(Schedule):
    """Straight lines between points (progress, value), which are given one after the other.

    Between (p, v) and (q, w): v + (w - v)(progress - p)/(q - p). Before the first point and after the last the value
    stays; two points of the same progress are a jump. It is named by its largest value.
    A warm-up, a plateau and a cooldown (Hägele et al. 2024, arXiv 2405.18392): ((0, 0), (0.05, 1), (0.8, 1), (1, 0)).
    """

    word: ClassVar[str] = "piecewise"
    points: tuple[tuple[float, float], ...]

    def __init__(self, *points: tuple[float, float]) -> None:
        if not points or any(not isinstance(point, tuple) or len(point) != 2 for point in points):
            raise UserError(f"expected {self.form()}, each point a pair of numbers, got {points}")
        time = {"low": 0.0, "high": 1.0}
        pairs = ((number(one, time, "progress in piecewise"), number(other, {}, "piecewise")) for one, other in points)
        object.__setattr__(self, "points", tuple(pairs))
        if list(self.times) != sorted(self.times):
            raise UserError(f"the points of piecewise must go forward in progress, got {self}")

    def __str__(self) -> str:
        return f"{self.word}({', '.join(short(point) for point in self.points)})"

    @classmethod
    def form(cls) -> str:
        return "piecewise((progress, value), …)"

    @cached_property
    def times(self) -> tuple[float, ...]:
        """The progress at each point."""
        return tuple(time for time, _ in self.points)

    def at(self, progress: float) -> float:
        next_ = bisect_right(self.times, progress)
        if next_ in (0, len(self.points)):
            return self.points[max(next_ - 1, 0)][1]
        (begin, start), (end, value) = self.points[next_ - 1], self.points[next_]
        return mixed(start, value, (progress - begin) / (end - begin))

    def scaled(self, factor: float) -> Self:
        return type(self)(*((time, value * factor) for time, value in self.points))

    def extremes(self) -> tuple[float, ...]:
        return tuple(value for _, value in self.points)

    @property
    def nominal(self) -> float:
        return max(self.extremes(), key=abs)
