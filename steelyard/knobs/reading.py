"""Knobs as they are used: read from text, looked at, scaled, given another shape."""

from steelyard.errors import UserError
from steelyard.knobs.cycles import Cyclic, OneCycle, Restarts, Triangular
from steelyard.knobs.descents import Cosine, Demon, Exponential, FlatCosine, Linear
from steelyard.knobs.pieces import Constant, Piecewise, Step, Warmup
from steelyard.knobs.schedule import Schedule, Warmed
from steelyard.knobs.spelled import read_call

Knob = float | Schedule
SCHEDULES: dict[str, type[Schedule]] = {
    kind.word: kind
    for kind in (
        *(Cosine, Linear, Step, Exponential, FlatCosine, Demon),
        *(OneCycle, Restarts, Cyclic, Triangular),
        *(Warmup, Piecewise, Constant),
    )
}


def value(knob: Knob, progress: float) -> float:
    """What the knob stands at, whether it is a constant or a schedule."""
    return knob.at(progress) if isinstance(knob, Schedule) else knob


def scale(knob: Knob, factor: float) -> Knob:
    """The knob with its values multiplied by `factor`."""
    return knob.scaled(factor) if isinstance(knob, Schedule) else knob * factor


def start(knob: Knob) -> float:
    """The value a knob is named by: the constant, where a schedule starts, the peak of one that rises to it."""
    return knob.nominal if isinstance(knob, Schedule) else knob


def ends(knob: Knob) -> tuple[float, ...]:
    """The progress at the ends of the cycles of a knob, 1.0 last: where snapshots are taken."""
    return knob.ends() if isinstance(knob, Schedule) else (1.0,)


def carried(knob: Knob) -> dict[str, float]:
    """What a knob keeps when it is given another shape: `start`, `end` (0 where it has none), `warmup` and `floor`."""
    kept = {"start": start(knob), "end": float(getattr(knob, "end", 0.0)), "warmup": 0.0, "floor": 0.0}
    if isinstance(knob, Warmed):
        kept |= {"warmup": knob.warmup, "floor": knob.floor}
    if isinstance(knob, Warmup):
        kept |= {"warmup": knob.share, "floor": knob.floor}
    return kept


def parse_knob(text: str | float | Schedule) -> Knob:
    """A knob from its text form: `0.1` or `cosine(0.1, 0, warmup=0.05)`."""
    if not isinstance(text, str):
        return text if isinstance(text, Schedule) else float(text)
    try:
        return float(text)
    except ValueError:
        if "(" not in text:
            raise UserError(f"expected a number or a schedule such as 'cosine(0.1, 0)', got '{text}'") from None
    return read_call(text, SCHEDULES, "schedule")
