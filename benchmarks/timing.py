"""Competitors take turns in one process: CPU time per unit of work, and its ratio to a reference that runs in between.

Other programs on the machine slow a process down for seconds at a time. CPU time leaves out the waiting, and a ratio
compares neighbours in time; what noise is left shows in a reference that competes with itself.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch

Run = Callable[[], int]  # does its work and returns how much it was: steps, seeds …
Prepare = Callable[[], Run]  # builds what a run needs; its time is not counted
MICRO = 1e6  # microseconds in a second


@dataclass(frozen=True)
class Spread:
    """A figure over rounds: its median and its range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of one value or more."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"

    def to_dict(self) -> dict[str, float]:
        """As plain values."""
        return {name: float(f"{number:.4g}") for name, number in asdict(self).items()}


@dataclass(frozen=True)
class Turns:
    """Seconds per unit of work of a competitor, one for each round, and of the reference that ran around it."""

    own: tuple[float, ...]
    around: tuple[float, ...]

    @property
    def ratio(self) -> Spread:
        """What the competitor takes, measured in what the reference takes."""
        return Spread.of(own / around for own, around in zip(self.own, self.around, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """As plain values; times in microseconds."""
        times = {"microseconds": self.own, "reference": self.around}
        return {name: Spread.of(MICRO * s for s in each).to_dict() for name, each in times.items()} | {
            "ratio": self.ratio.to_dict()
        }


def take_turns(
    reference: Prepare,
    competitors: Mapping[str, Prepare],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Turns]:
    """In every round run the reference, a competitor, the reference, the next competitor …

    A first round is not counted. A competitor is compared with the mean of the runs before and after it. `clock` is
    the CPU time of this process unless another is given (a GPU works while its process sleeps).
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in competitors}
    for number in range(rounds + 1):
        before = _seconds(reference, clock)
        for name, competitor in competitors.items():
            own, after = _seconds(competitor, clock), _seconds(reference, clock)
            if number:
                found[name].append((own, (before + after) / 2))
            before = after
    return {name: Turns(*zip(*pairs, strict=True)) for name, pairs in found.items()}


def _seconds(prepare: Prepare, clock: Callable[[], float]) -> float:
    run = prepare()
    gc.collect()
    start = clock()
    units = run()
    return (clock() - start) / units


def device_clock() -> float:
    """Wall seconds after everything given to the GPU is done."""
    torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes in one thread and takes numbers that are almost nothing for zero, as Steelyard does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


def table(header: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> str:
    """A table as Markdown reads it."""
    rows = [header, tuple("---" for _ in header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
