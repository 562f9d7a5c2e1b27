"""A folder of what was costly to compute: entries found by a key, the least recently used ones giving way.

STEELYARD_CACHE names the folder, or switches the cache off; else it lies where the system keeps such things
(`$XDG_CACHE_HOME/steelyard`, by default ~/.cache/steelyard). It may be deleted at any time.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from steelyard.errors import UserError

VARIABLE, SIZE_VARIABLE = "STEELYARD_CACHE", "STEELYARD_CACHE_GB"
OFF = {"off", "no", "none", "0", "false"}
SIZE_GB, SHARE = 10.0, 0.25  # of all entries together; or that share of what is free on the disk, where that is more
ENTRIES, SCRATCH = "decoded", "scratch"
USED = "used"  # a file in every entry: its time says when the entry was last used
KEY = re.compile(r"[0-9a-f]{32}")  # the names of entries
NEW = "new-"  # how folders begin that are no entries yet, or no more
ABANDONED = 7 * 24 * 3600  # seconds after which what a killed process left is removed


@dataclass(frozen=True)
class Entry:
    """One entry: its bytes, when it was last used (seconds since 1970), and what it holds."""

    key: str
    size: int
    used: float
    holds: str = ""


@dataclass(frozen=True)
class Contents:
    """What lies in the cache, the last used entry first. `folder` is "" when it is switched off; `limit` in bytes."""

    folder: str
    limit: float
    entries: tuple[Entry, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all entries together."""
        return sum(entry.size for entry in self.entries)


def folder() -> Path | None:
    """Where the cache is; None when it is switched off or the user has no folder of their own."""
    given = os.environ.get(VARIABLE, "").strip()
    if given.lower() in OFF:
        return None
    if given:
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "steelyard"
    except RuntimeError:  # there is no home
        return None


def size_limit(free: int) -> float:
    """Bytes that all entries together may take on a disk with so many free ones."""
    given = os.environ.get(SIZE_VARIABLE, "")
    return gigabytes(SIZE_VARIABLE, given) if given else max(SIZE_GB * 1e9, SHARE * free)


def gigabytes(variable: str, given: str) -> float:
    """Bytes from the gigabytes an environment variable holds."""
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise UserError(f"the environment variable {variable} is a number of gigabytes such as 4, got '{given}'")
    return number * 1e9


def entry(key: str) -> Path | None:
    """The folder of an entry, there or not; None when there is no cache."""
    root = folder()
    return None if root is None else root / ENTRIES / key


def contents(describe: Callable[[Path], str] = lambda _: "") -> Contents:
    """What lies in the cache; `describe` says of an entry's folder what it holds."""
    root = folder()
    if root is None:
        return Contents("", 0.0)
    there = next(place for place in (root, *root.parents) if place.exists())
    found = [Entry(each.name, _size(each), _when(each), describe(each)) for each in _entries(root)]
    limit = size_limit(shutil.disk_usage(there).free)
    return Contents(str(root), limit, tuple(sorted(found, key=lambda entry: -entry.used)))


def clear() -> tuple[int, int]:
    """Remove all entries, and what killed processes have left; how many entries that were, and their bytes.

    A process that reads or writes an entry at this moment goes on: it has what it has, or makes the entry anew.
    """
    root = folder()
    if root is None:
        return 0, 0
    gone = [(each, _size(each)) for each in _entries(root)]
    for each, _ in gone:
        _remove(each)
    if (root / ENTRIES).is_dir():
        _clear(root / ENTRIES)
    return len(gone), sum(size for _, size in gone)


def _entries(root: Path) -> list[Path]:
    """The folders of entries; whatever else somebody has put there is not ours."""
    try:
        return [each for each in (root / ENTRIES).iterdir() if KEY.fullmatch(each.name) and each.is_dir()]
    except OSError:
        return []


def used(place: Path) -> None:
    """Remember that an entry was used now."""
    with suppress(OSError):
        os.utime(place / USED)


def put(place: Path, size: int, write: Callable[[Path], None]) -> None:
    """Make an entry of about `size` bytes: `write` fills a folder that then appears in its place, whole.

    OSError when there is no room.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place.parent).free
    if size > (limit := size_limit(free)):
        raise OSError(f"larger than the {limit / 1e9:.1f} GB of the cache")
    if 2 * size > free:
        raise OSError("the disk is almost full")
    made = Path(tempfile.mkdtemp(prefix=NEW, dir=place.parent))
    try:
        _remove(place)
        _shrink(place.parent, limit - size)
        write(made)
        (made / USED).touch()
        made.rename(place)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if not isinstance(error, OSError) or not (place / USED).exists():  # else another process was quicker
            raise


def _shrink(entries: Path, most: float) -> None:
    """Remove the least recently used entries until at most so many bytes are left."""
    _clear(entries)
    found = sorted((_when(each), _size(each), each) for each in entries.iterdir() if not each.name.startswith(NEW))
    total = sum(size for _, size, _ in found)
    for _, size, each in found:
        if total <= most:
            return
        _remove(each)
        total -= size


def _clear(entries: Path) -> None:
    """Remove what killed processes have left."""
    for left in [*entries.glob(f"{NEW}*"), *(entries.parent / SCRATCH).glob("*")]:
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left)


def _remove(place: Path) -> None:
    """Remove an entry; whoever has it mapped keeps what he has by a link of his own."""
    if not place.exists():
        return
    gone = Path(tempfile.mkdtemp(prefix=NEW, dir=place.parent))
    try:
        place.rename(gone / place.name)
    except FileNotFoundError:
        pass  # another process did
    finally:
        shutil.rmtree(gone, ignore_errors=True)


def _when(place: Path) -> float:
    try:
        return (place / USED).stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in place.iterdir())
    return 0
