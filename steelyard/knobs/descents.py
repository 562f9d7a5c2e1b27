"""Schedules that go once from `start` to `end`: straight, by a cosine, by one factor, ever faster."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from steelyard.errors import UserError
from steelyard.knobs.ranges import knob
from steelyard.knobs.schedule import Schedule, Warmed, half_cosine, held, mixed


@dataclass(frozen=True)
class Linear(Warmed):
    """A straight line: start + (end - start)·t, where t goes from 0 to 1 after the warm-up.

    Source, for learning rates: Li et al. 2020, "Budgeted Training" (arXiv 1905.04753).
    """

    word: ClassVar[str] = "linear"
    start: float
    end: float
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def after(self, progress: float) -> float:
        return mixed(self.start, self.end, self.share(progress))


@dataclass(frozen=True)
class Cosine(Warmed):
    """Half a cosine: end + ½(start - end)(1 + cos πt), where t goes from 0 to 1 after the warm-up.

    Source: Loshchilov & Hutter 2017, "SGDR", equation 5 with one cycle (arXiv 1608.03983).
    """

    word: ClassVar[str] = "cosine"
    start: float
    end: float
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def after(self, progress: float) -> float:
        return half_cosine(self.start, self.end, self.share(progress))


@dataclass(frozen=True)
class FlatCosine(Warmed):
    """Stays at `start` until the share `flat` of training is over; what is left is half a cosine to `end`.

    With s = (progress - flat)/(1 - flat): end + ½(start - end)(1 + cos πs).
    Source: `fit_flat_cos` of fast.ai (Howard & Gugger 2020, arXiv 2002.04688, describe the library).
    """

    word: ClassVar[str] = "flat_cosine"
    start: float
    end: float
    flat: float = knob(0.7, 0.0, 1.0)
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def after(self, progress: float) -> float:
        flat = max(self.flat, self.warmup)
        if progress <= flat:
            return self.start
        return half_cosine(self.start, self.end, (progress - flat) / (1 - flat))


@dataclass(frozen=True)
class Exponential(Warmed):
    """The same factor at every step: start·(end/start)^t, where t goes from 0 to 1 after the warm-up.

    Source: Senior et al. 2013, "An empirical study of learning rates in deep neural networks for speech recognition",
    exponential scheduling (ICASSP).
    """

    word: ClassVar[str] = "exponential"
    start: float
    end: float
    warmup: float = knob(0.0, 0.0, 1.0)
    floor: float = knob(0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.start, self.end) <= 0:
            raise UserError(f"exponential needs a start and an end above 0, got {self.start:g} and {self.end:g}")

    def after(self, progress: float) -> float:
        share = self.share(progress)
        return held(self.start ** (1 - share) * self.end**share, self.start, self.end)


@dataclass(frozen=True)
class Demon(Schedule):
    """Ever faster: end + (start - end)(1 - t)/(1 - bend·t), which is a straight line at a `bend` of 0.

    With `end` = 0 and `bend` = `start`, which is what it is when left out, it is the rule for a momentum β by which
    β/(1 - β) falls in a straight line.
    Source: Chen et al. 2022, "Demon: Improved Neural Network Training with Momentum Decay" (arXiv 1910.04952).
    """

    word: ClassVar[str] = "demon"
    start: float
    end: float = knob(0.0)
    bend: float | None = knob(None, 0.0, 0.9999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bend is None and not 0 <= self.start <= 0.9999:
            raise UserError(f"demon needs a bend unless its start lies in 0..0.9999, got {self.start:g}")

    def at(self, progress: float) -> float:
        return mixed(self.end, self.start, (1 - progress) / (1 - self._bend * progress))

    def scaled(self, factor: float) -> Self:
        return replace(self, start=self.start * factor, end=self.end * factor, bend=self._bend)

    @property
    def _bend(self) -> float:
        return self.start if self.bend is None else self.bend
