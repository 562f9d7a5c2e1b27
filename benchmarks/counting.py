"""What a training step asks for: calls of Python and of C functions, and operators that torch dispatches.

Unlike times these are the same in every run, so that a test can hold the loop to them.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

Run = Callable[[], int]  # does its work and returns how many steps it took


@dataclass(frozen=True)
class Counts:
    """Per step: calls of functions written in Python, calls of functions written in C, dispatched operators."""

    python: float
    c: float
    operators: float

    def to_dict(self) -> dict[str, float]:
        return {name: round(number, 2) for name, number in vars(self).items()}


def per_step(short: Callable[[], Run], long: Callable[[], Run]) -> Counts:
    """What a step costs when a long run is a short one with more steps: set-up and end cancel out.

    `short` and `long` build a fresh run each time they are called.
    """
    short()()  # what is done once in a process, such as filling caches
    counted = [(_calls(build()), _operators(build())) for build in (short, long)]
    ((steps, python, c), (_, operators)), ((more, python_more, c_more), (_, operators_more)) = counted
    further = more - steps
    return Counts((python_more - python) / further, (c_more - c) / further, (operators_more - operators) / further)


def _calls(run: Run) -> tuple[int, int, int]:
    """Steps taken, calls of Python functions, calls of C functions."""
    python = c = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal python, c
        python += event == "call"
        c += event == "c_call"

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        steps = run()
    finally:
        sys.setprofile(before)
    return steps, python, c


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        return func(*args, **(kwargs or {}))


def _operators(run: Run) -> tuple[int, int]:
    """Steps taken, operators that reached a kernel, those of the backward pass and of the optimizer included."""
    counting = _Counting()
    with counting:
        steps = run()
    return steps, counting.operators
