"""What the losses of a run say: falling, flat, rising, swinging, not finite.

Rules are functions of the losses so far to what was seen, or None. They compare means of windows with their standard
errors, since the loss of one batch is noisy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median, pstdev

START = 10  # steps whose mean is the loss at the start
MOST = 2048  # losses kept; then neighbours are joined to their mean
WINDOW = 20  # losses of a window, at the least
ROSE = 2.0  # times the lowest window: two windows above it are no spike
ROSE_OF_START = 0.25  # and by so much of the loss at the start
BOLTS = 10.0  # times the first loss, in the first steps
FLAT = 0.01  # of the loss at the start: a fall that is none …
FLAT_AFTER = 300  # … after so many steps
CHANCE = 0.98  # of the cross-entropy of classes that are all as likely: no better than guessing
SLOW = 0.1  # of the loss at the start: a fall in so many steps that is a slow one
SWINGS, NO_BETTER = 0.5, 0.2  # deviation from batch to batch, of the mean loss; that mean, of the loss at the start
ROWS = 8  # of a batch: smaller ones jump by nature
STILL = 0.05  # of the whole fall: what the last fifth adds to it in a run that ends too early
SURE = 3.0  # standard errors
SHORTEST = 30  # losses, for an end that says something


@dataclass(frozen=True)
class Window:
    """Some losses: their mean and its standard error, which drops what drifts within them."""

    mean: float
    deviation: float
    error: float

    @classmethod
    def of(cls, losses: Sequence[float]) -> "Window":
        """Of two losses or more; noise is half the mean squared difference of neighbours (von Neumann 1941)."""
        steps = [after - before for before, after in pairwise(losses)]
        deviation = math.sqrt(fmean([step * step for step in steps]) / 2)
        return cls(fmean(losses), deviation, deviation / math.sqrt(len(losses)))


class Losses:
    """The losses of a run, one a step at first, and the means of more steps later on."""

    def __init__(self) -> None:
        self.count, self.stride = 0, 1
        self.values: list[float] = []
        self.first: list[float] = []
        self._open: list[float] = []
        self.broke: int | None = None  # the first step whose loss is not finite

    def add(self, loss: float) -> None:
        """The loss of the next step."""
        if not math.isfinite(loss):
            self.broke = self.count if self.broke is None else self.broke
            self.count += 1
            return
        if len(self.first) < START:
            self.first.append(loss)
        self._open.append(loss)
        self.count += 1
        if len(self._open) == self.stride:
            self.values.append(fmean(self._open))
            self._open = []
            if len(self.values) == MOST:
                self.values = [(a + b) / 2 for a, b in zip(self.values[::2], self.values[1::2], strict=True)]
                self.stride *= 2

    @property
    def start(self) -> float:
        """The first loss, or that of the first steps where it is larger, as far as twice the first; NaN before it.

        Some networks learn most of it within ten steps, others explode there.
        """
        if not self.first:
            return float("nan")
        high = max(self.first[0], median(self.first))
        return min(high, 2 * self.first[0]) if self.first[0] > 0 else high

    @property
    def tail(self) -> list[float]:
        """The last fifth."""
        return self.values[-max(WINDOW, len(self.values) // 5) :]


def rises(losses: Losses) -> str | None:
    """It lies far above where it has been, for longer than a spike."""
    values, start = losses.values, losses.start
    if len(values) < 3 * WINDOW or start <= 0:
        return None
    means = [fmean(values[k : k + WINDOW]) for k in range(len(values) % WINDOW, len(values) - WINDOW + 1, WINDOW)]
    lowest = min(max(losses.first[0], median(losses.first)), *means)
    now = min(means[-2:])
    if now > ROSE * lowest and now - lowest > ROSE_OF_START * start:
        return f"the loss was {lowest:.3g} and is {means[-1]:.3g} now"
    return None


def bolts(losses: Losses) -> str | None:
    """It leapt to many times what it was within the first steps."""
    start = losses.first[0] if losses.first else 0.0
    if start > 0 and (high := max(losses.first)) > BOLTS * start:
        return f"the loss was {start:.3g} and leapt to {high:.3g} within {len(losses.first)} steps"
    return None


def swings(losses: Losses, rows: int = ROWS) -> str | None:
    """From batch to batch, of so many rows, it jumps by much of what it is, and is no small part of the start."""
    values, start = losses.values, losses.start
    if losses.stride > 1 or len(values) < 5 * WINDOW or start <= 0 or rows < ROWS:
        return None
    last = Window.of(values[-2 * WINDOW :])
    if last.deviation > SWINGS * last.mean and last.mean > NO_BETTER * start:
        jump = last.deviation * math.sqrt(2)
        return f"from step to step it jumps by {jump:.2g}, around {last.mean:.2g}; it was {start:.3g} at the start"
    return None


def stays(losses: Losses, classes: int = 0) -> str | None:
    """It is not below what it was at the start, nor below what guessing among so many classes gives."""
    if losses.count < FLAT_AFTER or len(losses.values) < 3 * WINDOW or not losses.first:
        return None
    last, start = Window.of(losses.tail), losses.start
    noise = math.hypot(last.error, Window.of(losses.first).error) if len(losses.first) > 1 else last.error
    guess = math.log(classes) if classes > 1 else math.inf
    if last.mean > CHANCE * guess:
        return f"after {losses.count} steps it is {last.mean:.4g}; guessing among {classes} classes gives {guess:.4g}"
    if start - last.mean < max(FLAT * abs(start), min(noise, abs(start) / 2)):
        return f"it was {start:.4g} in the first steps and is {last.mean:.4g} after {losses.count}"
    return None


def slow(losses: Losses) -> str | None:
    """It falls for sure, by little, and has not slowed down."""
    values, start = losses.values, losses.start
    if losses.count < FLAT_AFTER or len(values) < 3 * WINDOW or start <= 0:
        return None
    third = len(values) // 3
    head, middle, end = (Window.of(values[k * third : (k + 1) * third]) for k in range(3))
    fall, early = head.mean - end.mean, head.mean - middle.mean
    if not SURE * math.hypot(head.error, end.error) < fall < SLOW * start or early > 0.7 * fall:
        return None
    return f"in {losses.count} steps it fell from {head.mean:.4g} to {end.mean:.4g}, and falls on as slowly"


def still_falls(losses: Losses) -> str | None:
    """It ended while it was falling."""
    values, fifth = losses.values, len(losses.values) // 5
    if len(values) < SHORTEST or fifth < 2:
        return None
    before, last = Window.of(values[-2 * fifth : -fifth]), Window.of(values[-fifth:])
    fall, whole = before.mean - last.mean, losses.start - last.mean
    if whole > 0 and fall > STILL * whole and fall > SURE * math.hypot(before.error, last.error):
        return f"the last fifth of {losses.count} steps took it from {before.mean:.3g} to {last.mean:.3g}"
    return None


def spikes(losses: Losses) -> int:
    """How often a loss stands out of the twenty before it by ten of their deviations and a tenth of the start."""
    values, found, k = losses.values, 0, WINDOW
    while k < len(values):
        before = values[k - WINDOW : k]
        if values[k] - fmean(before) > max(10 * pstdev(before), 0.1 * abs(losses.start)):
            found, k = found + 1, k + WINDOW
        else:
            k += 1
    return found


def state(losses: Losses) -> str:
    """In a word or two."""
    if losses.broke is not None:
        return "not finite"
    if len(losses.values) < SHORTEST:
        return "too few steps to tell"
    if rises(losses):
        return "rising"
    if swings(losses):
        return "oscillating"
    if stays(losses):
        return "flat"
    return "falling" if still_falls(losses) else "settled"
