"""Many image files at once: read one after another, decoded side by side, what cannot be read set aside."""

import hashlib
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image

from steelyard.data.files import LARGEST_IMAGE, Listed
from steelyard.data.images import Size, decode
from steelyard.data.pacing import paced
from steelyard.data.room import COPIES, Pile, available_memory

CHUNK = 16  # files a thread decodes at once: one alone may take less time than handing it over
UNREAD = b""  # stands for the hash of a file whose bytes could not be had: it may be there the next time


@dataclass(frozen=True)
class File:
    """What came of a file: a hash of its bytes, upright pixels (h, w) or (h, w, 3) and its stored size, or why not."""

    hash: bytes
    pixels: np.ndarray | None = None
    size: Size = (0, 0)
    why: str = ""


@dataclass(frozen=True)
class Decoded:
    """What was read of some files: hashes of all, pixels and stored sizes of the images, whose numbers are `places`."""

    hashes: list[bytes]
    places: list[int]
    pixels: Pile
    sizes: list[Size]
    unreadable: tuple[tuple[int, str], ...]


def read_files(files: Sequence[Listed], threads: int | None = None) -> Decoded:
    """Decode files in their order, those that fail are listed with why; by that many threads or as many as help."""
    read = Decoded([], [], Pile(available_memory() // COPIES), [], ())
    bad = list[tuple[int, str]]()
    with quiet():
        for number, file in enumerate(_by_threads(files, threads)):
            read.hashes.append(file.hash)
            if file.pixels is None:
                bad.append((number, file.why))
                continue
            read.places.append(number)
            read.pixels.append(file.pixels)
            read.sizes.append(file.size)
    return Decoded(read.hashes, read.places, read.pixels, read.sizes, tuple(bad))


def read_one(file: Listed) -> File:
    """What comes of one file."""
    return decoded(_bytes(file))


def content_hash(file: Listed) -> bytes:
    """A hash of what the file holds now, as `read_files` gives it."""
    data = _bytes(file)
    return UNREAD if isinstance(data, File) else _hash(data)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_threads(files: Sequence[Listed], threads: int | None) -> Iterator[File]:
    """What comes of the files, in their order; without a number, as many threads as a short trial finds to help."""
    return _side_by_side(files, threads) if threads else paced(files, _side_by_side, processors())


def _side_by_side(files: Sequence[Listed], threads: int) -> Iterator[File]:
    """What comes of the files, in their order; no more is read ahead than the threads have to do."""
    if threads == 1 or len(files) <= CHUNK:
        yield from (decoded(_bytes(file)) for file in files)
        return
    waiting = deque[Future[list[File]]]()
    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(files), CHUNK):
            waiting.append(pool.submit(_chunk, [_bytes(file) for file in files[begin : begin + CHUNK]]))
            if len(waiting) > 2 * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _chunk(contents: list[bytes | File]) -> list[File]:
    return [decoded(data) for data in contents]


def _bytes(file: Listed) -> bytes | File:
    try:
        if file.tree.size(file.path) > LARGEST_IMAGE:
            raise ValueError(f"larger than {LARGEST_IMAGE >> 20} MB")
        return file.read()
    except Exception as error:  # zips raise many kinds of errors: none may end the reading
        return File(UNREAD, why=_why(error))


def decoded(data: bytes | File) -> File:
    """What comes of the bytes of a file; a `File` for bytes that could not be had stays as it is."""
    if isinstance(data, File):
        return data
    try:
        pixels, size = decode(data)
    except MemoryError as error:
        return File(UNREAD, why=_why(error))
    except Exception as error:  # decoders raise nearly anything on damaged files
        return File(_hash(data), why=_why(error))
    return File(_hash(data), pixels, size)


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=12).digest()


def _why(error: Exception) -> str:
    if "cannot identify image file" in str(error):
        return "not an image"
    return str(error).split("\n")[0][:120] or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Decoders warn about oddities that do not matter here; a warning of too many pixels counts as an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
