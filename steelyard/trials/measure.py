"""What constraints limit, measured: latency and memory."""

import ctypes
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch

from steelyard.data.dataset import Dataset
from steelyard.training.model import Predictor

BATCH = 64  # examples of `batch_latency_ms`; problem.LIMITS names it, too
WARM_UP = 3  # calls that are not counted
CALLS = (21, 41)  # at least and at most: from 21 on the 95th percentile is not just the slowest call
SECONDS = 0.1  # after which no more than the fewest calls are made


def latencies(model: Predictor, dataset: Dataset) -> dict[str, float]:
    """Milliseconds an example from raw inputs to predictions, on one thread and after a warm-up.

    Of one example alone the median and the 95th percentile of many calls, each with another example; and the median
    of a few calls with `BATCH` examples at once, shared out among them.
    """
    alone = [dataset.take(np.array([row % len(dataset)])) for row in range(CALLS[1])]
    together = [dataset.take(np.arange(BATCH) % len(dataset))] * 5
    one, many = _milliseconds(model, alone, CALLS[0]), _milliseconds(model, together, len(together))
    return {
        "latency_ms": float(np.median(one)),
        "latency_p95_ms": float(np.percentile(one, 95)),
        "batch_latency_ms": float(np.median(many)) / BATCH,
    }


def _milliseconds(model: Predictor, each: list[Dataset], fewest: int) -> list[float]:
    """What every call took: as many as there are data sets, or fewer when the time is over."""
    for rows in each[:WARM_UP]:
        model.predict(rows)
    found: list[float] = []
    until = time.perf_counter() + SECONDS
    for rows in each:
        began = time.perf_counter()
        if len(found) >= fewest and began > until:
            break
        model.predict(rows)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def forget_peak() -> None:
    """Start a new high-water mark of memory, where the system keeps one that can be reset (Linux)."""
    with suppress(OSError, AttributeError):  # memory that is kept though free does not count (glibc)
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float:
    """Megabytes this process held at most since `forget_peak`."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextmanager
def one_thread_here() -> Iterator[None]:
    """Inside, torch computes on one thread, as the workers do; afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> None:
    """Trials run side by side, each on one thread: more threads in one trial collapse when anything else runs."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # saturated networks on small data compute up to twice as fast
