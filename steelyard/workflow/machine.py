"""What this machine trains on: the device, and how many trainings side by side."""

import os

from steelyard.errors import UserError


def device_of(asked: str) -> str:
    """The device to train on; an accelerator that is asked for must be there."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there[asked]:
        raise UserError(f"torch finds no device '{asked}' on this machine: use cpu, or install a torch built for it")
    return asked


def jobs_on(device: str) -> int:
    """Trainings side by side: one a core; an accelerator is shared by two, so that one computes while one prepares."""
    return cores() if device == "cpu" else min(2, cores())


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
