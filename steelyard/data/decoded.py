"""The pictures of a source at one size, decoded once: they are kept, and found again while no file has changed.

An entry of the cache is named by the names and sizes of all files, by what is asked for and by the decoder itself. It
is used when every file is the one that was decoded: by its times and its number in the file system, or, where these
are new or were too fresh to be trusted, by a hash of its content.
"""

import hashlib
import inspect
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL

from steelyard.data import cache, images
from steelyard.data.files import LARGEST_IMAGE, Listed
from steelyard.data.image_files import content_hash, read_files
from steelyard.data.images import Shape
from steelyard.data.mapped import MappedImages
from steelyard.data.pictures import DAMAGED, PIXELS, Known, Pictures, load, picture, save
from steelyard.data.words import counted

FORMAT = 1  # of an entry
KEPT_FROM = 100  # files: fewer are decoded in no time


def pictures(files: Sequence[Listed], chosen: Sequence[bool], shape: Shape | None) -> Pictures:
    """The images among the chosen files at that shape or, when it is None, at the shape they have in common.

    Files that are not chosen are looked at as well: they may be unreadable. Raises UserError when the images fit
    neither into memory nor onto the disk.
    """
    if len(files) < KEPT_FROM:
        return picture(read_files(files), chosen, shape)
    now, stamps = time.time_ns(), np.array([file.stamp() for file in files], np.int64)
    wanted = [shape, None] if shape and all(chosen) else [shape]
    places = [cache.entry(_key(files, stamps, chosen, each)) for each in wanted]
    for place in places:
        if place is not None and (found := _found(place, files, stamps, now, shape)) is not None:
            return _said(found, f"{counted(len(found.rows), 'decoded image')} taken from the cache")
    start = time.perf_counter()
    decoded = read_files(files)
    made = picture(decoded, chosen, shape)
    done = f"decoded {counted(len(made.rows), 'image')} in {time.perf_counter() - start:.1f} s"
    if places[0] is None or not made.rows:
        return _said(made, done)
    return _said(made, f"{done}; {_kept(places[0], made, Known.of(now, stamps, decoded.hashes))}")


def described(place: Path) -> str:
    """What an entry of the cache holds, in words; "" when it cannot be read."""
    try:
        count, height, width, channels = MappedImages.whole(place / PIXELS).shape
    except DAMAGED:
        return ""
    return f"{counted(count, 'image')} of {width}×{height}, {'grey' if channels == 1 else 'colour'}"


def _said(made: Pictures, done: str) -> Pictures:
    if isinstance(made.images, np.ndarray):
        return replace(made, said=(done,))
    size = f"{made.images.nbytes / 1e9:,.1f} GB of images do not fit into memory: they are read from the disk as needed"
    return replace(made, said=(done, size))


def _key(files: Sequence[Listed], stamps: np.ndarray, chosen: Sequence[bool], shape: Shape | None) -> str:
    """The name of an entry."""
    decoder = (FORMAT, LARGEST_IMAGE, PIL.__version__, _source())
    digest = hashlib.blake2b(repr((decoder, shape)).encode(), digest_size=16)
    for file, size, row in zip(files, stamps[:, 0].tolist(), chosen, strict=True):
        digest.update(f"{file.name}\0{size}\0{row:d}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _source() -> str:
    """The text of the decoder: whatever is changed in it, what it decoded before is not read any more."""
    try:
        return inspect.getsource(images)
    except OSError:  # installed without its source
        import steelyard

        return steelyard.__version__


def _found(place: Path, files: Sequence[Listed], stamps: np.ndarray, now: int, shape: Shape | None) -> Pictures | None:
    """The pictures of an entry, if there is one, of these very files, undamaged and at that shape."""
    try:
        known, found = load(place)
        doubtful = np.flatnonzero(~known.trusted(stamps)).tolist()
    except DAMAGED:
        return None
    if shape is not None and found.images.shape[1:] != shape:
        return None
    if not all(known.same(number, content_hash(files[number])) for number in doubtful):
        return None
    if doubtful:
        _renew(place, replace(known, at=now, stamps=stamps))
    cache.used(place)
    return found


def _renew(place: Path, known: Known) -> None:
    with suppress(OSError):  # the next look will have to compare contents again
        known.write(place)


def _kept(place: Path, made: Pictures, known: Known) -> str:
    """Keep the pictures if that is possible; what is said about it."""
    try:
        cache.put(place, made.images.nbytes, lambda folder: save(folder, made, known))
    except OSError as error:
        return f"not kept ({error.strerror or error})"
    return "kept for next time"
