"""Epochs over a folder of photographs: decoded once, mapped from the disk, or decoded anew in every epoch."""

import os
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from steelyard.data.files import Listed, opened
from steelyard.data.image_files import read_files
from steelyard.data.images import brought, decode
from steelyard.data.mapped import MappedImages
from steelyard.data.source import read

BATCH, SIDE = 256, 64
Learn = Callable[[Tensor], object]  # a training step on images uint8 (n, 3, 64, 64)


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and seconds of processor that this process and the ones it started took."""

    wall: float
    processor: float


class Files(TorchDataset[Tensor]):
    """Image files, read and decoded whenever one is asked for, by the decoder that Steelyard has."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Tensor:
        pixels, _ = decode(self.paths[number].read_bytes())
        shape = (SIDE, SIDE, 3)
        return torch.from_numpy(np.array(np.broadcast_to(brought(pixels, shape), shape))).permute(2, 0, 1)


def unpacked(source: Path, folder: Path, most: int | None) -> list[Path]:
    """The files of a zip of class folders, spread over the classes; made ones when it is not there."""
    if not source.exists():
        return made(folder, most or 1000)
    with zipfile.ZipFile(source) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".jpg")]
        step = 1 if most is None else max(1, len(names) // most)
        for name in names[::step]:
            archive.extract(name, folder)
    return sorted(folder.rglob("*.jpg"))


def made(folder: Path, count: int) -> list[Path]:
    """JPEG files of 128×128 pixels in two class folders, as photographs are: smooth with a little noise."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((128, 128), Image.Resampling.BICUBIC)).astype(int)
        path = folder / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noisy = np.clip(smooth + random.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(path, quality=85)
    return sorted(folder.rglob("*.jpg"))


def epochs(paths: list[Path], folder: Path, learn: Learn | None, rounds: int) -> dict[str, tuple[Took, ...]]:
    """What every way of feeding takes for an epoch, in every round; a first round of all is not counted."""
    inside, mapped = _memory(folder), _mapped(folder)
    loaders = {f"DataLoader, {workers} workers": _loader(paths, workers) for workers in (0, 2)}
    ways: dict[str, Callable[[], Iterator[Tensor]]] = {
        "first epoch: decode": lambda: _first(folder),
        "later epochs: memory": lambda: _shuffled(inside),
        "later epochs: mapped": lambda: _shuffled(mapped),
        **{name: loader.__iter__ for name, loader in loaders.items()},
    }
    found: dict[str, list[Took]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            took = _epoch(way, learn)
            if number:
                found[name].append(took)
    return {name: tuple(each) for name, each in found.items()}


def starts(folder: Path, rounds: int) -> dict[str, tuple[float, ...]]:
    """Processor seconds until the data set is there: decoded anew, and taken from the cache."""
    found: dict[str, list[float]] = {"decoded": [], "from the cache": []}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(rounds):
            for name, where in (("decoded", "off"), ("from the cache", cache)):
                with _environment(STEELYARD_CACHE=where):
                    if name == "from the cache":
                        read(folder, None)  # kept by now
                    start = time.process_time()
                    read(folder, None)
                    found[name].append(time.process_time() - start)
    return {name: tuple(each) for name, each in found.items()}


def threads(folder: Path, rounds: int) -> dict[str, tuple[float, ...]]:
    """Seconds by the clock to decode a folder with one thread and with two."""
    found: dict[str, list[float]] = {"1 thread": [], "2 threads": []}
    with opened(folder) as tree:
        files = [Listed(tree, path, path) for path in tree.paths]
        for _ in range(rounds):
            for number, (_, each) in enumerate(found.items(), 1):
                start = time.perf_counter()
                read_files(files, number)
                each.append(time.perf_counter() - start)
    return {name: tuple(each) for name, each in found.items()}


def _epoch(way: Callable[[], Iterator[Tensor]], learn: Learn | None) -> Took:
    start, before = time.perf_counter(), _processor()
    for batch in way():
        if learn is not None:
            learn(batch)
    return Took(time.perf_counter() - start, _processor() - before)


def _processor() -> float:
    """Processor seconds of this process and of those it started, running ones included."""
    return time.process_time() + sum(_ticks(pid) for pid in _children()) + _ended()


def _ended() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children() -> list[str]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return listed.read_text().split() if listed.exists() else []


def _ticks(pid: str) -> float:
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _first(folder: Path) -> Iterator[Tensor]:
    """An epoch that begins with files: they are decoded, then fed."""
    with _environment(STEELYARD_CACHE="off"):
        yield from _shuffled(_fed(read(folder, None).images))


def _shuffled(images: Tensor) -> Iterator[Tensor]:
    order = torch.randperm(len(images))
    for begin in range(0, len(order), BATCH):
        yield images.index_select(0, order[begin : begin + BATCH])


def _memory(folder: Path) -> Tensor:
    with _environment(STEELYARD_CACHE="off"):
        return _fed(read(folder, None).images)


def _mapped(folder: Path) -> Tensor:
    with _environment(STEELYARD_CACHE="off", STEELYARD_MEMORY_GB="0"):
        images: Any = read(folder, None).images
    assert isinstance(images, MappedImages)
    return _fed(np.load(images.path, mmap_mode="c"))


def _fed(images: Any) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def _loader(paths: list[Path], workers: int) -> DataLoader[Tensor]:
    return DataLoader(Files(paths), BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, given in before.items():
            if given is None:
                os.environ.pop(name)
            else:
                os.environ[name] = given
