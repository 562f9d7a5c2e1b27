"""What a program with faults planted into it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Given = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A small training program as a practitioner would write it.

    `build(None)` gives the sound program, by the names that `examine` takes; `build(fault)` the same with one of its
    `faults` in it. Each fault bears the codes that a reasonable reader would call right; one of them is enough.
    """

    name: str
    style: str
    build: Callable[[str | None], Given]
    faults: Mapping[str, tuple[str, ...]]
