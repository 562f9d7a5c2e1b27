"""One run at a time in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.errors import UserError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder; the operating system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    with (folder / "journal.db-lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"another run is at work in {folder}; wait for it, or give another --output") from error
        yield
