"""Whether this processor computes in bfloat16 faster than in float32: measured, for it cannot be told from its name."""

import time
from functools import cache

import torch
from torch import Tensor

CHANNELS, SIDE, IMAGES = 32, 14, 64
CLEARLY = 1.5  # times as fast as float32, so that a busy moment does not decide


@cache
def fast_bfloat16() -> bool:
    """True when a training step of a convolution takes clearly less time in bfloat16; costs about 20 ms, once.

    Processors with matrix units (AMX) are several times faster, others several times slower than in float32.
    """
    times = [min(_seconds(dtype) for _ in range(3)) for dtype in (torch.float32, torch.bfloat16)]
    return times[0] > CLEARLY * times[1]


def _seconds(dtype: torch.dtype) -> float:
    maps = _last(torch.ones(IMAGES, CHANNELS, SIDE, SIDE, dtype=dtype))
    kernels = _last(torch.ones(CHANNELS, CHANNELS, 3, 3, dtype=dtype)).requires_grad_()
    began = time.process_time()
    torch.nn.functional.conv2d(maps, kernels, padding=1).sum().backward()  # type: ignore[no-untyped-call]
    return time.process_time() - began


def _last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
