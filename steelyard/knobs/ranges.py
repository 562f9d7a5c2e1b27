"""Fields that are knobs, and the ranges their values must lie in."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, field
from numbers import Real
from typing import Any, get_origin

from steelyard.errors import UserError


def knob(default: Any, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field that is a knob: its default and the range a value must lie in (both ends included)."""
    return field(default=default, metadata={"low": low, "high": high})


def filled() -> Any:
    """A dataclass field that is no knob: a tuple that is filled in from train rows, empty until then."""
    return field(default=(), metadata={"filled": True})


def within(points: Iterable[float], bounds: Mapping[Any, Any], name: str, given: object) -> None:
    """Raise UserError unless all points are finite and lie in the bounds `low` and `high`; `given` is what is shown."""
    low, high = bounds.get("low"), bounds.get("high")
    for point in points:
        if not math.isfinite(point):
            raise UserError(f"{name} must be finite, got {given}")
        if (low is not None and point < low) or (high is not None and point > high):
            shown = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
            raise UserError(f"{name} must lie in {shown}, got {given}")


def number(given: Any, bounds: Mapping[Any, Any], name: str) -> float:
    """What was given as a float, within its bounds if it has any; UserError for what is no number."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise UserError(f"{name} must be a number, got {given!r}")
    try:
        found = float(given)
    except OverflowError:
        found = math.inf
    if any(bound is not None for bound in bounds.values()):
        within([found], bounds, name, given)
    return found


def checked(given: Any, f: "Field[Any]", name: str) -> Any:
    """What was given for the field of a schedule, as a float, a whole number or a tuple of floats, within its range."""
    if given is None and f.default is None:
        return None
    if get_origin(f.type) is tuple:
        each = given if isinstance(given, tuple | list) else (given,)
        return tuple(number(one, f.metadata, name) for one in each)
    found = number(given, f.metadata, name)
    if f.type is int and found != int(found):
        raise UserError(f"{name} must be a whole number, got {given}")
    return int(found) if f.type is int else found
