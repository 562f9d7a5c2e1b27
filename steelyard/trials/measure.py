"""What constraints limit, measured: latency and memory."""

import ctypes
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from steelyard.data.dataset import Dataset
from steelyard.training.model import Model


def latency_ms(model: Model, dataset: Dataset, repeats: int = 15) -> float:
    """Median milliseconds from one raw example to its prediction, one thread, after three warm-up calls."""
    one = dataset.take(np.array([0]))
    seconds = []
    for _ in range(repeats + 3):
        began = time.perf_counter()
        model.predict(one)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[3:]) * 1e3)


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


def one_thread() -> None:
    """Trials run side by side, each on one thread: more threads in one trial collapse when anything else runs."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # saturated networks on small data compute up to twice as fast
