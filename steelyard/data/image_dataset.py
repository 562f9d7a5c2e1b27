"""Folders, zips and arrays of images to a `Dataset`."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from steelyard.data import images
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.decoded import pictures
from steelyard.data.duplicates import judge, key_groups
from steelyard.data.files import FileTree, Listed, opened
from steelyard.data.image_folders import Place, image_like, places, require_classes
from steelyard.data.mapped import Images
from steelyard.data.pictures import Pictures
from steelyard.data.several_targets import code_targets, known_targets
from steelyard.data.table_dataset import known_target, require_rows
from steelyard.data.words import counted, listed
from steelyard.errors import UserError
from steelyard.problem import Head


@dataclass(frozen=True)
class Source:
    """What a path holds: the files that may be images, where they lie, and the number of others."""

    name: str
    files: list[Listed]
    places: list[Place]
    ignored: int


@dataclass(frozen=True)
class Album:
    """Images at one size with where each one lay; `notes` say what was left out and done."""

    name: str
    places: list[Place]
    pictures: Pictures
    unreadable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def image_dataset(path: Path, test: Path | None, target: str, task: str | None, order: tuple[str, ...] = ()) -> Dataset:
    """The data set of a folder or zip with class folders; `target` is only a name."""
    album = read_album(path, test)
    taken = album.pictures
    parts = np.array([place.part for place in album.places])
    part = parts if any(parts) else None
    labels = pd.DataFrame({target: pd.Series([place.label for place in album.places], dtype=object)})
    coded = code_targets(labels, (target,), task, parts == "test", order, as_classes=True)
    rows = np.flatnonzero(coded.usable)
    require_rows(len(rows), album.name)
    groups, said_groups = _same_files(album, rows, None if part is None else part[rows])
    said_part = () if part is None else (_said_part(part),)
    height, width, channels = taken.images.shape[1:]
    shape = (height, width, channels)
    return Dataset(
        name=album.name,
        schema=Schema("image", target, shape=shape),
        target=coded.values[rows],
        classes=coded.classes,
        images=_of(taken.images if coded.usable.all() else taken.images[rows]),
        part=None if part is None else part[rows],
        groups=groups,
        origin=tuple(album.places[i].path for i in rows),
        notes=(*album.notes, *said_part, *coded.notes, taken.sizing, _said_colour(shape), *said_groups),
        unreadable=album.unreadable,
        asks=coded.asks,
    )


def images_like(path: Path, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """The images of a file, folder or zip brought to the training shape; class folders are no must."""
    if schema.shape is None:
        raise UserError(f"{path.name} holds images, but the model was trained on a table: give a table")
    album = read_album(path, shape=schema.shape)
    target, said = None, tuple[str, ...]()
    if all(place.label for place in album.places) and classes:
        labels = pd.Series(pd.Categorical([place.label for place in album.places]))
        target, said = known_target(labels, schema.target, classes)
    return Dataset(
        name=album.name,
        schema=schema,
        target=target,
        classes=classes,
        images=_of(album.pictures.images),
        origin=tuple(place.path for place in album.places),
        notes=(*album.notes, *said),
        unreadable=album.unreadable,
    )


def array_dataset(
    x: np.ndarray,
    y: pd.DataFrame,
    task: str | None,
    test: tuple[np.ndarray, pd.DataFrame] | None,
    order: tuple[str, ...] = (),
) -> Dataset:
    """The data set of images (n, h, w) or (n, h, w, c) with a target per image, or several: the columns of y."""
    pixels, notes = images.from_array(x)
    part = None
    if test is not None:
        more, _ = images.from_array(test[0])
        if more.shape[1:] != pixels.shape[1:]:
            raise UserError(f"test images have shape {more.shape[1:]}, training images {pixels.shape[1:]}")
        part = np.array(["train"] * len(pixels) + ["test"] * len(more))
        pixels, y = np.concatenate([pixels, more]), pd.concat([y, test[1]], ignore_index=True)
    names = tuple(y.columns)
    coded = code_targets(y, names, task, np.zeros(len(y), dtype=bool) if part is None else part == "test", order)
    rows = np.flatnonzero(coded.usable)
    require_rows(len(rows), "array")
    height, width, channels = pixels.shape[1:]
    shape, said = images.common_shape([(width, height)], channels)
    kept = _resized(pixels[rows], shape)
    part = None if part is None else part[rows]
    groups, said_groups = judge(key_groups([image.tobytes() for image in kept]), part, "images")
    schema = Schema("image", listed(names), shape=shape, targets=names if len(names) > 1 else ())
    origin = tuple(str(i + 1) for i in rows)
    notes = (*notes, *coded.notes, said, _said_colour(shape), *said_groups)
    return Dataset(
        "array",
        schema,
        coded.values[rows],
        coded.classes,
        None,
        kept,
        part,
        groups,
        origin,
        notes,
        heads=coded.heads,
        asks=coded.asks,
    )


def array_like(
    x: np.ndarray,
    y: pd.DataFrame | None,
    schema: Schema,
    classes: tuple[str, ...],
    heads: tuple[Head, ...] = (),
) -> Dataset:
    """Images (n, h, w) or (n, h, w, c) brought to the training shape."""
    if schema.shape is None:
        raise UserError(f"the array has shape {x.shape} as images have, but the model was trained on a table")
    pixels, notes = images.from_array(x)
    target, said = None, tuple[str, ...]()
    if y is not None and heads:
        target = known_targets(y, schema.target_columns, heads)
    elif y is not None:
        target, said = known_target(y.iloc[:, 0], schema.target, classes)
    origin = tuple(str(i + 1) for i in range(len(pixels)))
    kept = _resized(pixels, schema.shape)
    return Dataset("array", schema, target, classes, None, kept, origin=origin, notes=(*notes, *said), heads=heads)


def read_album(path: Path, test: Path | None = None, shape: images.Shape | None = None) -> Album:
    """The images of a folder, a zip or a single file, all of them at that shape; without one, those in class folders
    at the shape they have in common, the images of a second source being the test part.

    UserError when a source holds no image that can be read or, without a shape, no class folders.
    """
    with ExitStack() as trees:
        sources = [_listed(path, trees.enter_context(opened(path)))]
        if test is not None:
            sources = _joined(sources[0], _listed(test, trees.enter_context(opened(test)), "test "))
        files = [file for source in sources for file in source.files]
        found = [place for source in sources for place in source.places]
        wanted = [shape is not None or bool(place.label) for place in found]
        taken = pictures(files, wanted, shape)
    bad = dict(taken.unreadable)
    _require_readable(sources, bad)
    if shape is None:
        require_classes([place for i, place in enumerate(sources[0].places) if i not in bad], path.stem)
    notes = (*taken.said, *_said_unreadable(found, bad))
    if shape is None:
        notes += _said_left_out(sum(s.ignored for s in sources), len(found) - len(bad) - len(taken.rows))
    unreadable = tuple((found[i].path, why) for i, why in bad.items())
    return Album(path.stem, [found[i] for i in taken.rows], taken, unreadable, notes)


def _listed(path: Path, tree: FileTree, prefix: str = "") -> Source:
    """The files of a tree that may be images; UserError when there are none."""
    found = places(tree.paths)
    if not found:
        other = f", only files such as {tree.paths[0]}" if tree.paths else ""
        raise UserError(f"{path.name} holds no images{other}: expected folders of images or the path of a table")
    named = [replace(place, path=prefix + place.path) for place in found] if prefix else found
    files = [Listed(tree, place.path, name.path) for place, name in zip(found, named, strict=True)]
    return Source(path.name, files, named, sum(not image_like(name) for name in tree.paths))


def _joined(first: Source, test: Source) -> list[Source]:
    """Both sources, all files of the second one being the test part."""
    if any(place.part == "test" for place in first.places):
        raise UserError(f"{first.name} has a test folder of its own: leave out the second test source or that folder")
    train = [replace(place, part=place.part or "train") for place in first.places]
    return [replace(first, places=train), replace(test, places=[replace(place, part="test") for place in test.places])]


def _require_readable(sources: list[Source], bad: dict[int, str]) -> None:
    """UserError when a source holds nothing but unreadable files."""
    begin = 0
    for source in sources:
        end = begin + len(source.files)
        if all(number in bad for number in range(begin, end)):
            what = f"none of the {len(source.files)} files in {source.name} can be read as an image"
            raise UserError(f"{what}, as {source.places[0].path} ({bad[begin]})")
        begin = end


def _same_files(album: Album, rows: np.ndarray, part: np.ndarray | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Groups of byte-identical files, and a word when some of them lie in different classes."""
    groups, notes = judge(key_groups([album.pictures.hashes[i] for i in rows]), part, "images", coarse=1.0)
    if groups is None:
        return None, notes
    labels = key_groups([album.places[i].label for i in rows])
    pairs = np.unique(np.stack([groups, labels]), axis=1)[0]
    torn = int((np.bincount(pairs) > 1).sum())
    return groups, (*notes, *([f"{counted(torn, 'image')} found in more than one class folder"] if torn else []))


def _resized(pixels: np.ndarray, shape: images.Shape) -> np.ndarray:
    if pixels.shape[1:] == shape:
        return pixels
    each = (image[..., 0] if image.shape[-1] == 1 else image for image in pixels)
    return _of(images.stack(each, len(pixels), shape))


def _of(found: Images) -> np.ndarray:
    return cast(np.ndarray, found)  # mapped images answer to what a data set asks of an array


def _said_unreadable(found: list[Place], bad: dict[int, str]) -> tuple[str, ...]:
    if not bad:
        return ()
    some = [f"{found[i].path} ({why})" for i, why in list(bad.items())[:3]]
    shown = ", ".join(some) + (", …" if len(bad) > 3 else "")
    return (f"{counted(len(bad), 'file')} set aside, not readable as images: {shown}",)


def _said_left_out(ignored: int, loose: int) -> tuple[str, ...]:
    notes = []
    if ignored:
        notes.append(f"{counted(ignored, 'file')} not used, being no image (texts, tables)")
    if loose:
        notes.append(f"{counted(loose, 'image')} left out: in no class folder")
    return tuple(notes)


def _said_part(part: np.ndarray) -> str:
    counts = ", ".join(f"{np.sum(part == p):,} {p}" for p in ("train", "dev", "test") if np.any(part == p))
    return f"the source has a ready split: {counts} images"


def _said_colour(shape: images.Shape) -> str:
    return "all images are grey: one channel" if shape[2] == 1 else "images have three colour channels"
