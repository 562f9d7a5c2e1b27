"""Folders, zips and arrays of images to a `Dataset`."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.data import images
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.duplicates import judge, key_groups
from steelyard.data.files import opened
from steelyard.data.image_folders import Place, image_like, places, require_classes
from steelyard.data.table_dataset import known_target, require_rows
from steelyard.data.targets import code_target
from steelyard.data.words import counted
from steelyard.errors import UserError


@dataclass(frozen=True)
class Album:
    """Decoded images with where each one lay."""

    name: str
    places: list[Place]
    decoded: images.Decoded
    ignored: int


def image_dataset(path: Path, test: Path | None, target: str, task: str | None) -> Dataset:
    """The data set of a folder or zip with class folders; `target` is only a name."""
    album = read_album(path)
    require_classes(album.places, album.name)
    album, notes = _labelled(_joined(album, read_album(test)) if test else album)
    shape, said_size = images.common_shape(album.decoded.sizes, _channels(album.decoded.pixels))
    parts = np.array([place.part for place in album.places])
    part = parts if any(parts) else None
    labels = pd.Series([place.label for place in album.places], dtype=object)
    coded = code_target(labels, target, task, parts == "test", as_classes=True)
    rows = np.flatnonzero(coded.usable)
    require_rows(len(rows), album.name)
    groups, said_groups = _same_files(album, rows, None if part is None else part[rows])
    said_part = () if part is None else (_said_part(part),)
    dataset = Dataset(
        name=album.name,
        schema=Schema("image", target, shape=shape),
        target=coded.values[rows],
        classes=coded.classes,
        images=images.stack([album.decoded.pixels[i] for i in rows], shape),
        part=None if part is None else part[rows],
        groups=groups,
        origin=tuple(album.decoded.paths[i] for i in rows),
        notes=(*notes, *said_part, *coded.notes, said_size, _said_colour(shape), *said_groups),
        unreadable=album.decoded.unreadable,
    )
    return dataset


def images_like(path: Path, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """The images of a file, folder or zip brought to the training shape; class folders are no must."""
    if schema.shape is None:
        raise UserError(f"{path.name} holds images, but the model was trained on a table: give a table")
    album = read_album(path)
    target, said = None, tuple[str, ...]()
    if all(place.label for place in album.places) and classes:
        labels = pd.Series(pd.Categorical([place.label for place in album.places]))
        target, said = known_target(labels, schema.target, classes)
    return Dataset(
        name=album.name,
        schema=schema,
        target=target,
        classes=classes,
        images=images.stack(album.decoded.pixels, schema.shape),
        origin=album.decoded.paths,
        notes=(*_said_unreadable(album.decoded), *said),
        unreadable=album.decoded.unreadable,
    )


def array_dataset(
    x: np.ndarray, y: pd.Series, target: str, task: str | None, test: tuple[np.ndarray, pd.Series] | None
) -> Dataset:
    """The data set of images (n, h, w) or (n, h, w, c) with a target per image."""
    pixels, notes = images.from_array(x)
    part = None
    if test is not None:
        more, _ = images.from_array(test[0])
        if more.shape[1:] != pixels.shape[1:]:
            raise UserError(f"test images have shape {more.shape[1:]}, training images {pixels.shape[1:]}")
        part = np.array(["train"] * len(pixels) + ["test"] * len(more))
        pixels, y = np.concatenate([pixels, more]), pd.concat([y, test[1]], ignore_index=True)
    coded = code_target(y, target, task, np.zeros(len(y), dtype=bool) if part is None else part == "test")
    rows = np.flatnonzero(coded.usable)
    require_rows(len(rows), "array")
    height, width, channels = pixels.shape[1:]
    shape, said = images.common_shape([(width, height)], channels)
    kept = _resized(pixels[rows], shape)
    part = None if part is None else part[rows]
    groups, said_groups = judge(key_groups([image.tobytes() for image in kept]), part, "images")
    schema = Schema("image", target, shape=shape)
    origin = tuple(str(i + 1) for i in rows)
    notes = (*notes, *coded.notes, said, _said_colour(shape), *said_groups)
    return Dataset("array", schema, coded.values[rows], coded.classes, None, kept, part, groups, origin, notes)


def array_like(x: np.ndarray, y: pd.Series | None, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """Images (n, h, w) or (n, h, w, c) brought to the training shape."""
    if schema.shape is None:
        raise UserError(f"the array has shape {x.shape} as images have, but the model was trained on a table")
    pixels, notes = images.from_array(x)
    target, said = (None, ()) if y is None else known_target(y, schema.target, classes)
    origin = tuple(str(i + 1) for i in range(len(pixels)))
    kept = _resized(pixels, schema.shape)
    return Dataset("array", schema, target, classes, None, kept, origin=origin, notes=(*notes, *said))


def read_album(path: Path) -> Album:
    """Every image of a folder, a zip or a single file; UserError when none can be read."""
    with opened(path) as tree:
        found = places(tree.paths)
        if not found:
            other = f", only files such as {tree.paths[0]}" if tree.paths else ""
            raise UserError(f"{path.name} holds no images{other}: expected folders of images or the path of a table")
        decoded = images.read_files(tree, (place.path for place in found))
        ignored = sum(not image_like(name) for name in tree.paths)
    if not decoded.paths:
        file, why = decoded.unreadable[0]
        raise UserError(f"none of the {len(found)} files in {path.name} can be read as an image, as {file} ({why})")
    kept = set(decoded.paths)
    return Album(path.stem, [place for place in found if place.path in kept], decoded, ignored)


def _joined(album: Album, test: Album) -> Album:
    """Both albums, the second one's images being the test part."""
    first = [replace(place, part=place.part or "train") for place in album.places if place.part != "test"]
    if len(first) < len(album.places):
        raise UserError(f"{album.name} has a test folder of its own: leave out the second test source or that folder")
    second = [replace(place, path=f"test {place.path}", part="test") for place in test.places]
    a, b = album.decoded, test.decoded
    decoded = images.Decoded(
        (*a.paths, *(place.path for place in second)),
        a.pixels + b.pixels,
        a.sizes + b.sizes,
        a.hashes + b.hashes,
        (*a.unreadable, *((f"test {path}", why) for path, why in b.unreadable)),
    )
    return Album(album.name, first + second, decoded, album.ignored + test.ignored)


def _labelled(album: Album) -> tuple[Album, tuple[str, ...]]:
    """The album of images that lie in a class folder, with what is said about the others."""
    rows = [i for i, place in enumerate(album.places) if place.label]
    notes = list(_said_unreadable(album.decoded))
    if album.ignored:
        notes.append(f"{counted(album.ignored, 'file')} not used, being no image (texts, tables)")
    loose = len(album.places) - len(rows)
    if loose:
        notes.append(f"{counted(loose, 'image')} left out: in no class folder")
    d = album.decoded
    kept = images.Decoded(
        tuple(d.paths[i] for i in rows),
        [d.pixels[i] for i in rows],
        [d.sizes[i] for i in rows],
        [d.hashes[i] for i in rows],
        d.unreadable,
    )
    return replace(album, places=[album.places[i] for i in rows], decoded=kept), tuple(notes)


def _same_files(album: Album, rows: np.ndarray, part: np.ndarray | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Groups of byte-identical files, and a word when some of them lie in different classes."""
    groups, notes = judge(key_groups([album.decoded.hashes[i] for i in rows]), part, "images", coarse=1.0)
    if groups is None:
        return None, notes
    labels = key_groups([album.places[i].label for i in rows])
    pairs = np.unique(np.stack([groups, labels]), axis=1)[0]
    torn = int((np.bincount(pairs) > 1).sum())
    return groups, (*notes, *([f"{counted(torn, 'image')} found in more than one class folder"] if torn else []))


def _resized(pixels: np.ndarray, shape: images.Shape) -> np.ndarray:
    if pixels.shape[1:] == shape:
        return pixels
    return images.stack([image[..., 0] if image.shape[-1] == 1 else image for image in pixels], shape)


def _channels(pixels: list[np.ndarray]) -> int:
    return 3 if any(array.ndim == 3 for array in pixels) else 1


def _said_unreadable(decoded: images.Decoded) -> tuple[str, ...]:
    bad = decoded.unreadable
    if not bad:
        return ()
    shown = ", ".join(f"{path} ({why})" for path, why in bad[:3]) + (", …" if len(bad) > 3 else "")
    return (f"{counted(len(bad), 'file')} set aside, not readable as images: {shown}",)


def _said_part(part: np.ndarray) -> str:
    counts = ", ".join(f"{np.sum(part == p):,} {p}" for p in ("train", "dev", "test") if np.any(part == p))
    return f"the source has a ready split: {counts} images"


def _said_colour(shape: images.Shape) -> str:
    return "all images are grey: one channel" if shape[2] == 1 else "images have three colour channels"
