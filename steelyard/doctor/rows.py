"""Rows of the loaders as checks compare them: by input, by a hash of all inputs, with their class codes."""

import math
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, SubsetRandomSampler

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case

MANY, BYTES, SECONDS = 4096, 128e6, 1.5  # of rows drawn from a whole data set, at the most
COLUMNS = 256  # that stand for all where each is looked at
GOLDEN, MIXED = -7046029254386353131, -4658895280553007687  # odd constants of splitmix64 (Steele et al. 2014)


def named(batch: Batch) -> dict[str, Tensor]:
    """The inputs of a batch, on the CPU, by the names that its dict gives them, or 'input 1', 'input 2' …"""
    found: dict[str, Tensor] = {}

    def walk(tree: Any, name: str) -> None:
        if isinstance(tree, Tensor):
            found[name or f"input {len(found) + 1}"] = tree.detach().cpu()
        elif isinstance(tree, Mapping):
            for key, each in tree.items():
                walk(each, f"{name}.{key}" if name else str(key))
        elif isinstance(tree, tuple | list):
            for place, each in enumerate(tree):
                walk(each, f"{name}[{place}]" if name else "")

    walk(batch.inputs, "")
    return found


def stacked(batches: Sequence[Batch]) -> dict[str, Tensor]:
    """Every input over all batches, a row each; batches of another shape than the first are left out."""
    listed = [named(batch) for batch in batches]
    found = {}
    for name, first in (listed[0] if listed else {}).items():
        same = [each[name] for each in listed if name in each and each[name].shape[1:] == first.shape[1:]]
        if first.dim():
            found[name] = torch.cat([each.to(first.dtype) for each in same])
    return found


def codes(batches: Sequence[Batch]) -> Tensor | None:
    """Class codes, one a row, of codes, of zeros and ones, or of one-hot rows; None where targets are none of these."""
    found = [_codes(batch) for batch in batches]
    kept = [each for each in found if each is not None]
    return torch.cat(kept) if kept and len(kept) == len(found) else None


def values(batches: Sequence[Batch]) -> Tensor | None:
    """Targets as numbers (rows, numbers); None where rows and targets do not go together."""
    found = []
    for batch in batches:
        target = next(iter(tensors(batch.answer)), None)
        if target is None or not target.dim() or len(target) != batch.many:
            return None
        found.append(target.detach().cpu().float().reshape(len(target), -1))
    return torch.cat(found) if found and len({each.shape[1] for each in found}) == 1 else None


def _codes(batch: Batch) -> Tensor | None:
    target = next(iter(tensors(batch.answer)), None)
    if target is None or not target.dim() or len(target) != batch.many:
        return None
    target = target.detach().cpu()
    target = target[:, 0] if target.dim() == 2 and target.shape[1] == 1 else target
    whole, two = not target.is_floating_point(), bool(((target == 0) | (target == 1)).all())
    if target.dim() == 1 and (whole or two):
        return target.long()
    if target.dim() == 2 and two and bool((target.sum(1) == 1).all()):
        return target.argmax(1)
    return None


def hashed(rows: Tensor) -> Tensor:
    """A number of 64 bits for each row; zeros at the end of a row of codes (padding) do not count."""
    flat = rows.reshape(len(rows), -1)
    if flat.is_floating_point():
        bits, kept = (flat.float() + 0.0).view(torch.int32).long(), torch.ones((), dtype=torch.bool)
    else:
        bits = flat.long()
        kept = (bits != 0).flip(1).long().cumsum(1).flip(1) > 0
    place = torch.arange(1, flat.shape[1] + 1) * GOLDEN
    mixed = (bits + place) * MIXED
    mixed = (mixed ^ (mixed >> 29)) * (place | 1)
    return ((mixed ^ (mixed >> 32)) * kept).sum(1)


def hashes(batches: Sequence[Batch]) -> Tensor:
    """A number for each row of batches, of all of its inputs."""
    found = []
    for batch in batches:
        parts = [each for each in named(batch).values() if each.dim() and len(each) == batch.many]
        total = torch.zeros(batch.many, dtype=torch.long)
        for place, each in enumerate(parts):
            total += hashed(each) * (2 * place + 3)
        found.append(total)
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.long)


def by_chance(batches: Sequence[Batch]) -> float:
    """The chance, at the most, that two different draws have equal inputs.

    The product of the chances of all columns, of which but the root is taken, for columns depend on one another.
    """
    first = _first_of_each(hashes(batches))
    if len(first) < 2:
        return 1.0
    pairs = len(first) * (len(first) - 1) / 2
    total = 0.0
    for rows in stacked(batches).values():
        flat = rows.reshape(len(rows), -1)
        if len(flat) > int(first.max()):
            flat = flat[first]
        flat = flat[:, :: max(1, flat.shape[1] // COLUMNS)]
        for column in flat.T:
            counts = torch.unique(column, return_counts=True)[1].double()
            equal = float((counts * (counts - 1)).sum()) / 2
            total += math.log2(pairs / max(equal, 1.0)) if pairs >= 1 else 0.0
    return float(2.0 ** (-total / 2))


def _first_of_each(keys: Tensor) -> Tensor:
    """Where each different number stands first."""
    seen: dict[int, int] = {}
    for place, key in enumerate(keys.tolist()):
        seen.setdefault(key, place)
    return torch.tensor(list(seen.values()), dtype=torch.long)


def spread(case: Case, side: str) -> list[Batch]:
    """Rows from all over a data set, in random order; the batches that were looked at where no others can be had."""
    if (kept := f"rows of {side}") not in case.kept:
        case.kept[kept] = _spread(case, side)
    found: list[Batch] = case.kept[kept]
    return found


def whole(source: Any) -> tuple[Any, list[int] | range] | None:
    """The data set that a loader draws from and which of its rows, each once; None where that is not known."""
    if not isinstance(source, DataLoader) or not isinstance(source.batch_sampler, BatchSampler):
        return None
    if not hasattr(source.dataset, "__getitem__") or not hasattr(source.dataset, "__len__"):
        return None
    sampler: Any = source.sampler
    if type(sampler) is SubsetRandomSampler:
        return source.dataset, list(sampler.indices)
    plain = type(sampler) is SequentialSampler or (type(sampler) is RandomSampler and not sampler.replacement)
    return (source.dataset, range(len(source.dataset))) if plain else None


def read_rows(case: Case, side: str, which: Sequence[int]) -> Batch:
    """Some rows of a map-style data set, as a batch."""
    source = getattr(case, side)
    return case.read(source.collate_fn([source.dataset[index] for index in which]))


def _spread(case: Case, side: str) -> list[Batch]:
    seen: list[Batch] = {"train": case.batches, "dev": case.dev_batches, "test": case.test_batches}[side]
    source = getattr(case, side)
    stream = random.Random(0)
    try:
        if isinstance(source, list | tuple) and len(source) > len(seen):
            return [case.read(source[place]) for place in sorted(stream.sample(range(len(source)), len(seen)))]
        drawn = whole(source)
        if drawn is None or len(drawn[1]) <= sum(batch.many for batch in seen):
            return seen
        order = stream.sample(drawn[1], min(MANY, len(drawn[1])))
        found: list[Batch] = []
        began, size = time.monotonic(), 0.0
        for start in range(0, len(order), 64):
            found.append(read_rows(case, side, order[start : start + 64]))
            size += sum(each.numel() * each.element_size() for each in found[-1].given)
            if size > BYTES or time.monotonic() - began > SECONDS:
                break
        return found
    except Exception:
        return seen
