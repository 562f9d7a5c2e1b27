"""Images that stay on the disk: rows are read when they are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 1024  # rows read at once


@dataclass(frozen=True, eq=False)
class MappedImages:
    """Images uint8 (n, h, w, c) in a .npy file too large for memory, of which only what is asked for is read.

    One row and slices of rows come as arrays; an array of row numbers gives the mapped images of those rows, and
    nothing is read. Another process gets the path, not the pixels.
    """

    path: Path
    rows: np.ndarray  # int64 (n,), numbers of rows of the file

    @classmethod
    def whole(cls, path: Path) -> "MappedImages":
        """All rows of a file; OSError or ValueError when it holds no such images."""
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        if pixels.ndim != 4 or pixels.dtype != np.uint8:
            raise ValueError(f"{path.name} holds no images")
        return cls(path, np.arange(len(pixels)))

    @cached_property
    def _pixels(self) -> np.ndarray:
        pixels: np.ndarray = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self._pixels.shape[1:])

    @property
    def dtype(self) -> "np.dtype[Any]":
        return self._pixels.dtype

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> Any:
        chosen = self.rows[rows]
        if isinstance(rows, slice | int | np.integer):
            return np.asarray(self._pixels[chosen])
        return MappedImages(self.path, chosen)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._pixels[self.rows], dtype=dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedImages, (self.path, self.rows)


Images = np.ndarray | MappedImages


def chunks(images: Images) -> Iterator[tuple[int, np.ndarray]]:
    """All rows in their order, a chunk at a time, each with the number of its first row."""
    for begin in range(0, len(images), CHUNK):
        yield begin, images[begin : begin + CHUNK]
