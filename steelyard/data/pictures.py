"""Pictures: images at one size with what is known of their files; how they are written and read."""

import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steelyard.data import room
from steelyard.data.image_files import Decoded
from steelyard.data.images import Shape, Size, common_shape, stack
from steelyard.data.mapped import Images, MappedImages, chunks

PIXELS, KNOWN, FACTS = "pixels.npy", "known.npz", "facts.npz"
DAMAGED = (OSError, ValueError, LookupError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)
HASH = 12  # bytes
FRESH = 2_000_000_000  # ns: a file changed so shortly before it was looked at may change again within the same tick


@dataclass(frozen=True)
class Pictures:
    """Images (n, h, w, c) with what is known of the files they come from.

    `rows` are the numbers of those files, `sizes` how large they are stored, `hashes` those of their bytes;
    `unreadable` are other files with why. `sizing` says which size they were brought to, `said` what was done.
    """

    images: Images
    rows: list[int]
    sizes: list[Size]
    hashes: list[bytes]
    unreadable: tuple[tuple[int, str], ...]
    sizing: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What was known of files at a time in ns: int64 stamps (files, 4) and uint8 hashes (files, 12), 0 for unread."""

    at: int
    stamps: np.ndarray
    hashes: np.ndarray

    @classmethod
    def of(cls, at: int, stamps: np.ndarray, hashes: Sequence[bytes]) -> "Known":
        """From hashes as bytes."""
        return cls(at, stamps, np.frombuffer(b"".join(map(_padded, hashes)), np.uint8).reshape(-1, HASH))

    def same(self, number: int, content: bytes) -> bool:
        """Whether the file of that number had that hash."""
        return bytes(self.hashes[number]) == _padded(content)

    def trusted(self, stamps: np.ndarray) -> np.ndarray:
        """Which files that have those stamps now must be the same as they were (files,)."""
        settled = self.stamps[:, 1:3].max(axis=1) < self.at - FRESH
        return np.asarray((self.stamps == stamps).all(axis=1) & settled & self.hashes.any(axis=1))

    def write(self, folder: Path) -> None:
        """Write it into an entry, in place of what was known before."""
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            np.savez(file, at=self.at, stamps=self.stamps, hashes=self.hashes)
        Path(file.name).replace(folder / KNOWN)

    @classmethod
    def read(cls, folder: Path) -> "Known":
        """What an entry holds; one of DAMAGED when it cannot be read."""
        with (folder / KNOWN).open("rb") as file, np.load(file, allow_pickle=False) as given:
            return cls(int(given["at"]), given["stamps"], given["hashes"])


def picture(decoded: Decoded, chosen: Sequence[bool], shape: Shape | None) -> Pictures:
    """The chosen ones of decoded files, brought to the shape, or to the one they have in common when it is None."""
    picked = [k for k, number in enumerate(decoded.places) if chosen[number]]
    rows = [decoded.places[k] for k in picked]
    sizes = [decoded.sizes[k] for k in picked]
    hashes = [decoded.hashes[number] for number in rows]
    sizing = ""
    if shape is None:
        coloured = any(len(decoded.pixels.shape(k)) == 3 for k in picked)
        shape, sizing = common_shape(sizes, 3 if coloured else 1) if rows else ((1, 1, 1), "")
    found = stack((decoded.pixels[k] for k in picked), len(picked), shape)
    return Pictures(found, rows, sizes, hashes, decoded.unreadable, sizing)


def save(folder: Path, made: Pictures, known: Known) -> None:
    """Write pictures into an empty folder; OSError when that fails."""
    if isinstance(made.images, MappedImages):
        room.linked(made.images.path, folder / PIXELS)
    else:
        with (folder / PIXELS).open("wb") as file:
            np.save(file, made.images, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    words = {"unreadable": made.unreadable, "sizing": made.sizing, "shape": made.images.shape}
    np.savez(
        folder / FACTS,
        rows=np.array(made.rows, np.int64),
        sizes=np.array(made.sizes, np.int64).reshape(-1, 2),
        sum=_sum(made.images),
        words=np.frombuffer(json.dumps(words).encode(), np.uint8),
    )
    known.write(folder)


def load(folder: Path) -> tuple[Known, Pictures]:
    """What `save` wrote: one of DAMAGED when it is not there or not whole.

    What fits into memory is read and its check sum compared; of the rest only the size is looked at.
    """
    known = Known.read(folder)
    with (folder / FACTS).open("rb") as file, np.load(file, allow_pickle=False) as given:
        rows, sizes = given["rows"].tolist(), [(w, h) for w, h in given["sizes"].tolist()]
        words, total = json.loads(given["words"].tobytes()), int(given["sum"])
    shape = tuple(words["shape"])
    images = _read(folder, shape, total)
    hashes = [known.hashes[number].tobytes() for number in rows]
    unreadable = tuple((int(number), str(why)) for number, why in words["unreadable"])
    return known, Pictures(images, rows, sizes, hashes, unreadable, str(words["sizing"]))


def _read(folder: Path, shape: tuple[int, ...], total: int) -> Images:
    """The pixels of an entry; ValueError when they are not those that were written."""
    mapped = MappedImages.whole(folder / PIXELS)
    if mapped.shape != shape:
        raise ValueError("other images than the entry says")
    if not room.fits(mapped.nbytes):
        path = room.lasting_file(PIXELS)
        room.linked(folder / PIXELS, path)
        return MappedImages.whole(path)
    images: np.ndarray = np.load(folder / PIXELS, allow_pickle=False)
    if _sum(images) != total:
        raise ValueError("the pixels are damaged")
    return images


def _sum(images: Images) -> int:
    total = 0
    for _, chunk in chunks(images):
        total = zlib.crc32(np.ascontiguousarray(chunk).data, total)
    return total


def _padded(content: bytes) -> bytes:
    return content.ljust(HASH, b"\0")
