"""A training program with a planted fault, and its sound twin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Program:
    """`build(True)` is the faulty program, `build(False)` its sound twin, both as `steelyard doctor` takes them.

    `codes` are those of which any one names the fault rightly; `bug` says in a line what is wrong.
    """

    name: str
    style: str
    codes: tuple[str, ...]
    bug: str
    build: Callable[[bool], dict[str, Any]]
