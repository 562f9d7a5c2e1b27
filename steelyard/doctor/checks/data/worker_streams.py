"""Workers of a loader that draw the same random numbers.

PyTorch gives every worker a stream of its own for its own, Python's and NumPy's random numbers; a generator that the
data set holds is copied as it stands. All workers then augment alike, and alike in every epoch.

Broken: `self.random = np.random.default_rng(0)` in a data set. Mended: draw from torch, or seed in `worker_init_fn`.
"""

import random
import sys
from typing import Any

import torch
from torch.utils.data import DataLoader

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check

READ = 2  # rows
DEPTH = 3  # of data sets within data sets


@check(
    "SY117",
    "Workers draw the same random numbers",
    "warning",
    means="augmentation repeats itself over workers and epochs: there is less of it than it seems",
    treat="draw from torch's own stream, or give the generator another seed for each worker (worker_init_fn)",
)
def worker_streams(case: Case) -> Saw | None:
    source = case.train
    if not isinstance(source, DataLoader) or source.num_workers < 1:
        raise NotMeasured("train is no DataLoader with workers")
    if source.worker_init_fn is not None or not hasattr(source.dataset, "__getitem__"):
        return None
    held = _held(source.dataset, DEPTH)
    before = [_state(stream) for stream in held.values()]
    try:
        for row in range(READ):
            source.dataset[row]
        moved = [
            name for (name, stream), was in zip(held.items(), before, strict=True) if not _same(_state(stream), was)
        ]
    finally:
        for stream, was in zip(held.values(), before, strict=True):
            _set(stream, was)
    if not moved:
        return None
    text = f"{source.num_workers} workers draw from copies of the data set's own {', '.join(moved)}"
    return Saw(text, {"workers": source.num_workers}, "tip" if source.num_workers == 1 else None)


def _held(data: Any, depth: int) -> dict[str, Any]:
    """Generators among the attributes of a data set, and of those within it."""
    numpy = sys.modules.get("numpy")
    kinds = (random.Random, torch.Generator, *((numpy.random.Generator, numpy.random.RandomState) if numpy else ()))
    found: dict[str, Any] = {}
    for name, each in vars(data).items() if hasattr(data, "__dict__") else ():
        if isinstance(each, kinds):
            found[name] = each
        elif depth and (hasattr(each, "__getitem__") or callable(each)) and hasattr(each, "__dict__"):
            found |= {f"{name}.{inner}": stream for inner, stream in _held(each, depth - 1).items()}
    return found


def _state(stream: Any) -> Any:
    """Where a stream stands, so that it can be put back."""
    if isinstance(stream, torch.Generator):
        return stream.get_state()
    if isinstance(stream, random.Random):
        return stream.getstate()
    return stream.bit_generator.state if hasattr(stream, "bit_generator") else stream.get_state()


def _set(stream: Any, was: Any) -> None:
    if isinstance(stream, random.Random):
        stream.setstate(was)
    elif hasattr(stream, "bit_generator"):
        stream.bit_generator.state = was
    else:
        stream.set_state(was)


def _same(one: Any, two: Any) -> bool:
    return bool(torch.equal(one, two)) if isinstance(one, torch.Tensor) else repr(one) == repr(two)
