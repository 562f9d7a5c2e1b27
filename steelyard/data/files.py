"""The files under a folder or inside a zip, read the same way from both."""

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from steelyard.errors import UserError, suggest

TABLES = (".csv", ".tsv", ".data", ".dat", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".jsonl", ".gz")
_LEFT_BEHIND = {"__MACOSX", "Thumbs.db", "desktop.ini"}
LARGEST_IMAGE = 256 * 2**20  # bytes of one unpacked file; more is taken for a zip bomb
BOMB_BYTES, BOMB_RATIO = 2**30, 200  # a table is not both larger and denser than this
Stamp = tuple[int, int, int, int]  # bytes, last change of the content and of anything (ns), number in the file system


@dataclass(frozen=True)
class FileTree:
    """Relative paths in natural order; `archive` is the open zip, None for a folder."""

    root: Path
    paths: tuple[str, ...]
    archive: zipfile.ZipFile | None = None

    def size(self, path: str) -> int:
        """The bytes of one file, unpacked."""
        return self.archive.getinfo(path).file_size if self.archive else (self.root / path).stat().st_size

    def stamp(self, path: str) -> Stamp:
        """Size and times of one file, or its size and the times of the zip it is in; OSError when it is gone."""
        if self.archive is None:
            return _stamp((self.root / path).stat())
        return (self.size(path), *self._archived)

    @cached_property
    def _archived(self) -> tuple[int, int, int]:
        assert self.archive is not None and self.archive.fp is not None
        return _stamp(os.fstat(self.archive.fp.fileno()))[1:]  # of the file that is open, whatever its path names now

    def read(self, path: str) -> bytes:
        """The content of one file; OSError when it cannot be read."""
        if self.archive is None:
            return (self.root / path).read_bytes()
        try:
            return self.archive.read(path)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise OSError(f"damaged in the zip ({error})") from error


@dataclass(frozen=True)
class Listed:
    """One file of a tree and the name it goes by."""

    tree: FileTree
    path: str
    name: str

    def read(self) -> bytes:
        """The content; OSError when it cannot be read."""
        return self.tree.read(self.path)

    def stamp(self) -> Stamp:
        """By what one sees that the file is still the same; all -1 when it is gone."""
        try:
            return self.tree.stamp(self.path)
        except OSError:
            return (-1, -1, -1, -1)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & (2**63 - 1)


def natural(path: str) -> tuple[tuple[int, int, str], ...]:
    """A sorting key by which `2.png` comes before `10.png`."""
    pieces = re.split(r"(\d+)", path)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)


def hidden(path: str) -> bool:
    """Whether a path is what operating systems leave behind rather than data."""
    return any(part.startswith(".") or part in _LEFT_BEHIND for part in path.split("/"))


@contextmanager
def opened(path: Path) -> Iterator[FileTree]:
    """The files of a folder or a zip, hidden ones left away; a single file is a tree of one."""
    if path.is_file() and not zipfile.is_zipfile(path):
        if path.suffix.lower() == ".zip":
            raise UserError(f"{path.name} is not a readable zip file: it may be cut off; download or pack it again")
        yield FileTree(path.parent, (path.name,))
    elif path.is_file():
        with _archive(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            yield FileTree(path, _sorted(names), archive)
    else:
        folders = os.walk(path)
        names = [(Path(at) / name).relative_to(path).as_posix() for at, _, files in folders for name in files]
        yield FileTree(path, _sorted(names))


def located(source: str | Path) -> tuple[Path, str]:
    """The path that exists and, for `archive.zip/inside.csv`, the file wanted inside the zip ("" elsewhere)."""
    path = Path(source).expanduser()
    if path.exists():
        return path, ""
    for parent in path.parents:
        if parent.is_file() and zipfile.is_zipfile(parent):
            return parent, path.relative_to(parent).as_posix()
    neighbours = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = suggest(path.name, neighbours)
    raise UserError(f"there is no file or folder '{source}'{hint if 'did you mean' in hint else ''}")


def table_in_zip(path: Path, inside: str) -> tuple[str, bytes]:
    """The name and content of the table a zip holds: the one asked for, or the only one there is."""
    with opened(path) as tree:
        tables = [p for p in tree.paths if PurePosixPath(p).suffix.lower() in TABLES]
        data = [p for p in tables if not p.lower().endswith(".txt")] or tables
        if inside and inside not in tree.paths:
            raise UserError(f"there is no '{inside}' in {path.name}{suggest(inside, tree.paths)}")
        if not inside and len(data) != 1:
            found = f"{len(data)} tables ({', '.join(data[:4])})" if data else "no images and no table"
            example = f": name one, as {path.name}/{data[0]}" if data else ""
            raise UserError(f"{path.name} holds {found}{example}")
        chosen = inside or data[0]
        _refuse_bomb(tree, chosen, path.name)
        try:
            return chosen, tree.read(chosen)
        except OSError as error:
            raise UserError(f"cannot read {chosen} in {path.name}: {error}") from error


def _refuse_bomb(tree: FileTree, inside: str, name: str) -> None:
    """A file that unpacks to far more than a table would is not unpacked."""
    if tree.archive is None:
        return
    info = tree.archive.getinfo(inside)
    if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * max(1, info.compress_size):
        size = f"{info.file_size >> 20:,} MB from {info.compress_size >> 10:,} kB"
        raise UserError(f"{inside} in {name} unpacks to {size}: taken for a zip bomb; unpack it yourself if it is none")


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"{path.name} is not a readable zip file: {error}") from error


def _sorted(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted((name for name in dict.fromkeys(names) if not hidden(name)), key=natural))
