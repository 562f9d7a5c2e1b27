"""Random streams: every consumer has its own, named, so that two arms of a comparison see the same data order."""

import hashlib

import numpy as np
import torch


def seed_of(seed: int, name: str) -> int:
    """A 63-bit seed for the stream of that name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big") >> 1


def numpy_stream(seed: int, name: str) -> np.random.Generator:
    """A NumPy generator for the stream of that name."""
    return np.random.default_rng(seed_of(seed, name))


def torch_stream(seed: int, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator on a device for the stream of that name."""
    return torch.Generator(device).manual_seed(seed_of(seed, name))
