"""Knobs: a number or a schedule, named by a dotted path and written the same way everywhere.

A schedule maps progress (0 at the first step of training, 1 at the end) to a value. It has one text form, used on
the command line, in TOML and in the journal: `cosine(0.1, 0, warmup=0.05)`.
"""

import ast
import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from steelyard.errors import UserError, suggest

BOUNDS = {"warmup": (0.0, 1.0), "cycles": (1, 100), "mult": (0.1, 10.0)}  # what schedules may be told


@dataclass(frozen=True)
class Schedule:
    """A value that changes over training; subclasses define `at`."""

    word: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            given = getattr(self, name, low)
            if not low <= given <= high:
                raise UserError(f"{self.word} needs {name} in {low:g}..{high:g}, got {given:g}")

    def at(self, progress: float) -> float:
        """The value at `progress` in 0..1."""
        raise NotImplementedError

    def scaled(self, factor: float) -> "Schedule":
        """The same shape with every value multiplied by `factor`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{k: v * factor if k in {"start", "end"} else v for k, v in values.items()})

    def __str__(self) -> str:
        given = [_short(getattr(self, f.name)) for f in fields(self)[:2]]
        rest = [f for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        given += [f"{f.name}={_short(getattr(self, f.name))}" for f in rest]
        return f"{self.word}({', '.join(given)})"


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from `start` to `end`."""

    word: ClassVar[str] = "linear"
    start: float
    end: float

    def at(self, progress: float) -> float:
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from `start` to `end` after a linear warm-up over the first `warmup` of training.

    Source: Loshchilov & Hutter 2017, "SGDR", equation 5 with one cycle (arXiv 1608.03983); the warm-up is
    Goyal et al. 2017, section 2.2 (arXiv 1706.02677).
    """

    word: ClassVar[str] = "cosine"
    start: float
    end: float
    warmup: float = 0.0
    floor: float = 0.0  # the share of `start` at which the warm-up begins

    def at(self, progress: float) -> float:
        if progress < self.warmup:
            return self.start * (self.floor + (1 - self.floor) * progress / self.warmup)
        t = (progress - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 1.0
        return _half_cosine(self.start, self.end, t)


@dataclass(frozen=True)
class Restarts(Schedule):
    """Cosine annealing with warm restarts: `cycles` descents from `start` to `end`, each `mult` times as long.

    Source: Loshchilov & Hutter 2017, "SGDR", equation 5 (arXiv 1608.03983).
    """

    word: ClassVar[str] = "sgdr"
    start: float
    end: float
    cycles: int = 1
    mult: float = 2.0
    warmup: float = 0.0  # as in `Cosine`, before the first descent
    floor: float = 0.0

    def at(self, progress: float) -> float:
        if progress < self.warmup:
            return self.start * (self.floor + (1 - self.floor) * progress / self.warmup)
        t = (progress - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 1.0
        lengths = [self.mult**i for i in range(int(self.cycles))]
        position = min(t, 1.0) * sum(lengths)
        for index, length in enumerate(lengths):
            if position < length or index == len(lengths) - 1:
                return _half_cosine(self.start, self.end, min(position / length, 1.0))
            position -= length
        raise AssertionError("unreachable: the last cycle ends the loop")


def _half_cosine(start: float, end: float, t: float) -> float:
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * t))


def _short(number: float) -> str:
    """The shortest text that reads back as the same number: 0.1, 0, 3e-05."""
    return f"{number:g}" if float(f"{number:g}") == number else repr(float(number))


Knob = float | Schedule
SCHEDULES: dict[str, type[Schedule]] = {cls.word: cls for cls in (Linear, Cosine, Restarts)}


def value(knob: Knob, progress: float) -> float:
    """What the knob stands at, whether it is a constant or a schedule."""
    return knob.at(progress) if isinstance(knob, Schedule) else knob


def scale(knob: Knob, factor: float) -> Knob:
    """The knob with its values multiplied by `factor`."""
    return knob.scaled(factor) if isinstance(knob, Schedule) else knob * factor


def start(knob: Knob) -> float:
    """The value a knob is named by: the constant, or the first argument of the schedule."""
    return float(vars(knob)["start"]) if isinstance(knob, Schedule) else knob


def parse_knob(text: str | float | Schedule) -> Knob:
    """A knob from its text form: `0.1` or `cosine(0.1, 0, warmup=0.05)`."""
    if not isinstance(text, str):
        return text if isinstance(text, Schedule) else float(text)
    try:
        return float(text)
    except ValueError:
        pass
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UserError(f"expected a number or a schedule such as 'cosine(0.1, 0)', got '{text}'")
    if call.func.id not in SCHEDULES:
        raise UserError(f"there is no schedule '{call.func.id}'{suggest(call.func.id, SCHEDULES)}")
    try:
        given = [float(ast.literal_eval(arg)) for arg in call.args]
        named = {str(word.arg): float(ast.literal_eval(word.value)) for word in call.keywords}
        return SCHEDULES[call.func.id](*given, **named)
    except UserError:
        raise
    except (ValueError, TypeError) as error:
        arguments = ", ".join(f.name for f in fields(SCHEDULES[call.func.id]))
        raise UserError(f"cannot read '{text}': expected {call.func.id}({arguments}) with numbers") from error


def knob(default: Any, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field that is a knob: its default and the range a value must lie in (both ends included)."""
    return field(default=default, metadata={"low": low, "high": high})
