"""Knobs: a number or a schedule, named by a dotted path and written the same way everywhere.

A schedule maps progress (0 at the first step of training, 1 at the end) to a value. It has one text form, used on
the command line, in TOML and in the journal: `cosine(0.1, 0, warmup=0.05)`.
"""

from steelyard.knobs.cycles import Cyclic, OneCycle, Restarts, Triangular
from steelyard.knobs.descents import Cosine, Demon, Exponential, FlatCosine, Linear
from steelyard.knobs.pieces import Constant, Piecewise, Step, Warmup
from steelyard.knobs.ranges import filled, knob, within
from steelyard.knobs.reading import SCHEDULES, Knob, carried, ends, parse_knob, scale, start, value
from steelyard.knobs.schedule import Schedule, Warmed
from steelyard.knobs.spelled import Spelled, read_call

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "Cyclic",
    "Demon",
    "Exponential",
    "FlatCosine",
    "Knob",
    "Linear",
    "OneCycle",
    "Piecewise",
    "Restarts",
    "Schedule",
    "Spelled",
    "Step",
    "Triangular",
    "Warmed",
    "Warmup",
    "carried",
    "ends",
    "filled",
    "knob",
    "parse_knob",
    "read_call",
    "scale",
    "start",
    "value",
    "within",
]
