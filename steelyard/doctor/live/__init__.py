"""The doctor beside a run: warnings while it trains, a table by layer and a record of its health afterwards."""

from steelyard.doctor.live.health import Course, Health, Layer
from steelyard.doctor.live.watching import Doctor, DoctorWarning

__all__ = ["Course", "Doctor", "DoctorWarning", "Health", "Layer"]
