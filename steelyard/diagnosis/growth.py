"""The records of learning curves: what was measured, the law, what more rows would bring, of all rows or of a class."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Array = np.ndarray
Outlook = Literal["helps", "hardly helps", "cannot tell yet"]


@dataclass(frozen=True)
class Measured:
    """The error of trainings on so many rows: each of them, their mean, and its standard error (seeds and examples)."""

    rows: int
    error: float
    spread: float
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Law:
    """error = floor + scale · rows^-exponent."""

    floor: float
    scale: float
    exponent: float

    def __call__(self, rows: float | Array) -> Array:
        """The error (…) at a number of rows (…)."""
        return np.asarray(self.floor + self.scale * np.asarray(rows, dtype=float) ** -self.exponent)


@dataclass(frozen=True)
class Forecast:
    """The error on `times` as many rows: what is expected, and where a measurement as those made would lie.

    `low80` to `high80` holds it with a chance of 80 %, `low95` to `high95` of 95 %. `gain` is by how much the expected
    error is lower than now, with its 80 % interval; `chance` that it is lower by what matters.
    """

    times: float
    rows: int
    error: float
    low80: float
    high80: float
    low95: float
    high95: float
    gain: float
    gain_low: float
    gain_high: float
    chance: float


@dataclass(frozen=True)
class LearningCurve:
    """An error over the number of training rows (`of` what: all rows, or those of one class), and what more would do.

    `fan` are forecasts from the most rows measured to ten times as many; `matters` is the smallest difference that
    matters; `families` the weight of each kind of law in the forecast; `per_thousand` the gain of the next 1,000 rows
    with its 80 % interval.
    """

    of: str
    measured: tuple[Measured, ...]
    law: Law
    forecasts: tuple[Forecast, ...]
    fan: tuple[Forecast, ...]
    per_thousand: tuple[float, float, float]
    matters: float
    outlook: Outlook
    families: dict[str, float]

    @property
    def now(self) -> Measured:
        """The last measurement."""
        return self.measured[-1]

    def at(self, times: float) -> Forecast:
        """The forecast for so many times the rows."""
        return next(each for each in self.forecasts if each.times == times)


@dataclass(frozen=True)
class ClassGrowth:
    """What more rows of the class `name` would do, all other rows staying: to the share of its rows that are taken for
    others (`own`), and to the error on all rows (`whole`)."""

    name: str
    own: LearningCurve
    whole: LearningCurve


@dataclass(frozen=True)
class Growth:
    """The learning curves of `model` in the error `unit`, measured on so many `dev` rows (in `folds` parts, or one).

    `whole` is None where a curve could not be measured, for that `reason`. It is `complete` when it reaches all train
    rows.
    """

    target: str
    model: str
    unit: str
    dev: int
    folds: int
    whole: LearningCurve | None
    classes: tuple[ClassGrowth, ...] = ()
    reason: str = ""
    complete: bool = False
    seconds: float = 0.0
    output: str = ""
    command: str = ""
