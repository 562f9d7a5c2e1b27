"""Whether a shorter number format makes training steps quicker on this machine: a few steps, measured."""

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steelyard.training.precision import Precision

BUDGET = 0.5  # seconds of rounds, at least one: with the steps before them a measurement stays below a second
FEWEST = 2  # rows to begin with: batch norms need more than one
STEP = 0.04  # seconds of a step in float32 that are enough: rows are added until it takes so long, for what a step
# takes however few rows it has hides what the format saves
ROUNDS = 15  # at most
HOPELESS = 2.0  # times the time of float32 in the first round: more rounds would not change the answer
WORTH = 0.9  # of the time of float32: what saves less is not worth its lost digits


@dataclass(frozen=True)
class Pace:
    """Seconds that a training step took in float32 and in another format, medians over rounds of one step each.

    `ratio` is the median of the ratios within rounds, the other format over float32, `low` and `high` their range;
    `rows` is how many rows of the batch the steps had.
    """

    dtype: str
    float32: float
    other: float
    ratio: float
    low: float
    high: float
    rounds: int
    rows: int

    @property
    def pays(self) -> bool:
        """Whether the format saves time worth having."""
        return self.ratio <= WORTH


def pays(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    dtype: Literal["bfloat16", "float16"] = "bfloat16",
    budget: float = BUDGET,
) -> Pace:
    """Measure forward and backward steps of a network on its device, in float32 and in `dtype` by turns.

    `inputs` are those of a batch (n, …), as `encode` takes them. As many rows are used as make a step long enough to be
    timed. The network given stays as it is, and so does torch's stream of random numbers. On a CPU the time is that of
    the processor, so that other programs do not matter; on a GPU it is that of the clock.
    """
    device = next(network.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        copied = copy.deepcopy(network).train()
        rows, batch = _enough(copied, tuple(tensor.to(device) for tensor in inputs), device)
        plain, other = (_step(copied, batch, Precision(each), device) for each in ("float32", dtype))
        plain(), other()  # kernels are chosen at the first step
        return _by_turns(dtype, plain, other, budget, rows)


def _enough(network: nn.Module, inputs: tuple[Tensor, ...], device: torch.device) -> tuple[int, tuple[Tensor, ...]]:
    """The first rows of a batch, so many that a step in float32 takes long enough, or all; the number and the rows."""
    most = len(inputs[0])
    rows = min(FEWEST, most)
    while True:
        batch = tuple(tensor[:rows] for tensor in inputs)
        step = _step(network, batch, Precision(), device)
        if (step() >= STEP and step() >= STEP) or rows == most:  # the first step may take longer than others do
            return rows, batch
        rows = min(2 * rows, most)


def _by_turns(dtype: str, plain: Callable[[], float], other: Callable[[], float], budget: float, rows: int) -> Pace:
    times, start = list[tuple[float, float]](), time.perf_counter()
    while len(times) < ROUNDS and (not times or time.perf_counter() - start < budget):
        times.append((plain(), other()))
        if times[0][1] > HOPELESS * times[0][0]:
            break
    ratios = [b / a for a, b in times]
    one, two = (statistics.median(each) for each in zip(*times, strict=True))
    return Pace(dtype, one, two, statistics.median(ratios), min(ratios), max(ratios), len(times), rows)


def _step(
    network: nn.Module, inputs: tuple[Tensor, ...], precision: Precision, device: torch.device
) -> Callable[[], float]:
    """A training step without the optimizer, which computes in float32 anyway; it returns the seconds it took."""
    clock = _clock(device)

    def step() -> float:
        start = clock()
        network.zero_grad(set_to_none=True)
        features = network.encode(*inputs)  # type: ignore[operator]
        with precision.region(device):
            outputs = network(features)
        outputs.float().square().mean().backward()
        return clock() - start

    return step


def _clock(device: torch.device) -> Callable[[], float]:
    """Processor seconds; on a GPU seconds by the clock, after all that was given to it is done."""
    if device.type != "cuda":
        return time.process_time

    def synchronized() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return synchronized
