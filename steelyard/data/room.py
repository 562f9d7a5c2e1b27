"""Room for images: in memory where they fit, else on the disk, from which they are mapped into it."""

import atexit
import math
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data import cache
from steelyard.errors import UserError

VARIABLE = "STEELYARD_MEMORY_GB"  # counts as free memory when set: for machines that several people share
COPIES = 4  # of the images that a run has at once: as read, its pool, train, and what is prepared for networks
SMALL = 16 << 20  # bytes that fit anywhere
UNKNOWN = 4 << 30  # bytes taken to be free where the system does not say


class Pile(Sequence[np.ndarray]):
    """Byte arrays of any shapes, put on one after another; those beyond `most` bytes lie in a file without a name."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._written = most, 0, 0
        self._items: list[np.ndarray | tuple[int, tuple[int, ...]]] = []
        self._file: Any = None

    def append(self, array: np.ndarray) -> None:
        """Put an array uint8 of any shape on top."""
        self._held += array.nbytes
        if self._held <= self._most:
            self._items.append(array)
            return
        with reserving(array.nbytes):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=scratch())  # noqa: SIM115, closed with the pile
                weakref.finalize(self, self._file.close)
            self._file.seek(self._written)
            self._file.write(np.ascontiguousarray(array).data)
        self._items.append((self._written, array.shape))
        self._written += array.nbytes

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: Any) -> Any:
        item = self._items[place]
        if isinstance(item, np.ndarray):
            return item
        begin, shape = item
        self._file.seek(begin)
        return np.frombuffer(self._file.read(_bytes(shape)), np.uint8).reshape(shape)

    def shape(self, place: int) -> tuple[int, ...]:
        """The shape of one array, without reading it."""
        item = self._items[place]
        return item.shape if isinstance(item, np.ndarray) else item[1]


def empty(shape: tuple[int, ...]) -> np.ndarray:
    """An array uint8 to be filled: in memory, or mapped from a file that is gone when the array is.

    Raises UserError when neither memory nor disk has room for it.
    """
    if fits(_bytes(shape)):
        return np.empty(shape, np.uint8)
    with reserving(_bytes(shape)), tempfile.TemporaryFile(dir=scratch()) as file:
        _reserve(file.fileno(), _bytes(shape))
        return np.memmap(file, np.uint8, "r+", shape=shape)


def on_disk(shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """An array uint8 to be filled, mapped from a .npy file that other processes may open until this one ends.

    Raises UserError when the disk has no room for it.
    """
    with reserving(_bytes(shape)):
        path = lasting_file("images.npy")
        mapped: np.memmap[Any, Any] = np.lib.format.open_memmap(path, "w+", np.uint8, shape)  # type: ignore[no-untyped-call, unused-ignore]
        with path.open("r+b") as file:
            _reserve(file.fileno(), path.stat().st_size)
    return mapped


def fits(size: int) -> bool:
    """Whether a run can have images of so many bytes in memory, with the copies it makes of them."""
    if size <= SMALL and VARIABLE not in os.environ:
        return True  # to look up what is free takes longer than to predict one image
    return size * COPIES <= available_memory()


def available_memory() -> int:
    """Bytes of memory that are free, or can be made free at once."""
    if given := os.environ.get(VARIABLE):
        return int(cache.gigabytes(VARIABLE, given))
    return min(_free(), _left_by_group())


def _free() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
        return pages * os.sysconf("SC_PAGE_SIZE") // 2 if pages > 0 else UNKNOWN


def _left_by_group(group: Path = Path("/sys/fs/cgroup")) -> int:
    """What the limit of a container leaves; memory that holds copies of files is given back when it is needed."""
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        return max(0, limit - next(int(line.split()[1]) for line in lines if line.startswith("anon ")))
    except (OSError, StopIteration, ValueError):
        return 1 << 62


def scratch() -> Path | None:
    """The folder for files that live as long as this process needs them; None: the system's own."""
    folder = cache.folder()
    if folder is not None:
        try:
            (folder / cache.SCRATCH).mkdir(parents=True, exist_ok=True)
            return folder / cache.SCRATCH
        except OSError:
            pass
    disk = Path("/var/tmp")  # /tmp may itself be memory
    return disk if "TMPDIR" not in os.environ and os.access(disk, os.W_OK) else None


def lasting_file(name: str) -> Path:
    """A path for a file that other processes may open by its name until this one ends."""
    made = Path(tempfile.mkdtemp(dir=scratch()))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made / name


def linked(file: Path, path: Path) -> None:
    """Let `path` be the same file, or a copy where the file system knows no such links; OSError when that fails."""
    try:
        os.link(file, path)
    except OSError:
        shutil.copyfile(file, path)


def _bytes(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _reserve(handle: int, size: int) -> None:
    """Take the disk a mapped file will need: that it is missing must show now, not kill the process at some write."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, max(1, size))
    else:
        os.truncate(handle, max(1, size))


@contextmanager
def reserving(size: int) -> Iterator[None]:
    """A disk without room becomes the user's error."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{size / 1e9:.1f} GB of images fit neither into memory nor onto the disk ({error.strerror}): "
            f"free some, or name a folder on a larger disk in {cache.VARIABLE}"
        ) from error
