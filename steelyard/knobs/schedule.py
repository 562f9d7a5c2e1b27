"""What every schedule is: a value over the progress of training, with a warm-up where it makes sense."""

import math
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

from steelyard.knobs.ranges import checked
from steelyard.knobs.spelled import Spelled


@dataclass(frozen=True)
class Schedule(Spelled):
    """A value that changes over training; subclasses define `at`.

    `levels` names the fields that hold values of the knob, all others being shares; the knob is named by the first.
    Shares are checked here, values by whoever holds the knob and knows its range, at their `extremes`.
    """

    levels: ClassVar[tuple[str, ...]] = ("start", "end")

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, checked(getattr(self, f.name), f, f"{self.word}.{f.name}"))

    def at(self, progress: float) -> float:
        """The value at `progress` in 0..1."""
        raise NotImplementedError

    def scaled(self, factor: float) -> Self:
        """The same shape with every value multiplied by `factor`."""
        return replace(self, **{name: getattr(self, name) * factor for name in self.levels})

    def extremes(self) -> tuple[float, ...]:
        """Values that it takes or comes near, between which all others lie."""
        return tuple(getattr(self, name) for name in self.levels)

    def ends(self) -> tuple[float, ...]:
        """The progress at the ends of its cycles, 1.0 last; what does not repeat is one cycle."""
        return (1.0,)

    @property
    def nominal(self) -> float:
        """The value by which the knob is named."""
        return float(getattr(self, self.levels[0]))


class Warmed(Schedule):
    """A schedule that may begin with a warm-up; subclasses define `after` and have both fields, as their last ones.

    Over the first `warmup` of training the value goes in a straight line from `floor` times its nominal value to that
    value. Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2 (arXiv 1706.02677).
    """

    warmup: float
    floor: float

    def at(self, progress: float) -> float:
        if progress < self.warmup:
            return mixed(self.floor * self.nominal, self.nominal, progress / self.warmup)
        return self.after(progress)

    def after(self, progress: float) -> float:
        """The value at `progress` in `warmup`..1."""
        raise NotImplementedError

    def share(self, progress: float) -> float:
        """How much is over of what the warm-up leaves of training."""
        return (progress - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 1.0

    def extremes(self) -> tuple[float, ...]:
        levels = super().extremes()
        return (*levels, self.floor * self.nominal) if self.warmup else levels


def mixed(start: float, end: float, share: float) -> float:
    """On the straight line from `start` to `end`: exactly these at 0 and 1, and never beyond them."""
    return held(start * (1 - share) + end * share, start, end)


def half_cosine(start: float, end: float, share: float) -> float:
    """On half a cosine from `start` to `end`: end + ½(start - end)(1 + cos(π·share))."""
    return mixed(end, start, 0.5 * (1 + math.cos(math.pi * share)))


def held(given: float, one: float, other: float) -> float:
    """The value, brought back between two others where rounding has carried it beyond."""
    low, high = (one, other) if one < other else (other, one)
    return low if given < low else high if given > high else given
