"""When a training run ends."""

from dataclasses import dataclass

from steelyard.knobs import knob
from steelyard.parts import Part


@dataclass(frozen=True)
class Stopping(Part):
    """Train for `epochs` passes over the data, or less.

    `patience`: stop when the dev loss has not improved for so many looks, and bring the best weights back; this
    looks at dev, so it is off unless asked for. `seconds`: schedules run by the clock once it is ahead of the steps,
    so that training ends, annealed, in that time; such a run is not reproducible bit for bit.
    """

    epochs: int = knob(30, 1)
    patience: int | None = knob(None, 1)
    seconds: float | None = knob(None, 0.0)
