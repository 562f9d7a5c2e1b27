"""The column of a table that holds images, or the paths of images, and its pixels at one size."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from PIL import Image

from steelyard.data import image_files, images, room
from steelyard.data.decoded import pictures
from steelyard.data.files import FileTree, Listed
from steelyard.data.image_folders import IMAGES
from steelyard.data.images import Shape
from steelyard.data.mapped import Images
from steelyard.data.pictures import Pictures, picture
from steelyard.data.tables import RawTable
from steelyard.data.words import counted
from steelyard.errors import UserError

MOSTLY = 0.9  # of the present values must be paths of images, for the column to hold them
GREY = 128  # the pixels of an image that is missing
ABSENT = "no image is named"


@dataclass(frozen=True)
class ImageFile:
    """A cell that names an image: its path from a folder."""

    folder: Path
    path: str


@dataclass(frozen=True)
class Photos:
    """The images of a column at one size: those of `rows` could be read, of the others `unreadable` says why not."""

    column: str
    images: Images
    rows: np.ndarray
    hashes: list[bytes]
    unreadable: dict[int, str]
    notes: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """(height, width, channels)."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels

    def there(self, count: int) -> np.ndarray:
        """1 where one of so many rows has an image, NaN elsewhere (count,)."""
        found = np.full(count, np.nan)
        found[self.rows] = 1.0
        return found

    def of(self, rows: np.ndarray) -> np.ndarray:
        """uint8 (len(rows), h, w, c): the images of rows in rising order, plain grey where there is none."""
        if np.array_equal(rows, self.rows):
            return cast(np.ndarray, self.images)  # mapped images answer to what a data set asks of an array
        places = {row: place for place, row in enumerate(self.rows.tolist())}
        grey = np.full(self.shape, GREY, np.uint8)
        each = (self.images[places[row]] if row in places else grey for row in rows.tolist())
        flat = (image[..., 0] if image.shape[-1] == 1 else image for image in each)
        return cast(np.ndarray, images.stack(flat, len(rows), self.shape))

    def keys(self, count: int) -> list[bytes]:
        """A hash of the content of each row's image, empty where there is none."""
        found = [b""] * count
        for row, content in zip(self.rows, self.hashes, strict=True):
            found[row] = content
        return found


def with_files(table: RawTable, besides: Collection[str | None], sure: str = "") -> RawTable:
    """The table with the paths in its image columns as `ImageFile`, where any of these files is there.

    Paths are taken from the folder of the table, or from the working directory where it is no file; out of the folder
    of a file they may not lead. `besides` are columns that are no inputs; `sure` is one that holds images whatever it
    looks like.
    """
    frame, notes = table.frame, table.notes
    for name in frame.columns:
        if name in besides:
            continue
        values = _opened(frame[name]) if isinstance(_first(frame[name]), dict) else frame[name]
        if name != sure and not _names_images(values):
            if values is not frame[name]:
                frame = frame.assign(**{name: values})
            continue
        cells = _located(values, table.folder, name, table.name)
        found = sum((cell.folder / cell.path).is_file() for cell in cells if isinstance(cell, ImageFile))
        if not found and name != sure:
            notes += (f"column '{name}' names images, but none of them is there: the names are taken as they are",)
        else:
            frame = frame.assign(**{name: pd.Series(cells, dtype=object, index=frame.index)})
    return replace(table, frame=frame, notes=notes)


def image_columns(frame: pd.DataFrame) -> list[str]:
    """The columns whose cells are images or name them."""
    return [name for name in frame.columns if frame[name].dtype == object and _is_image(_first(frame[name]))]


def photos(cells: pd.Series, wanted: np.ndarray, shape: Shape | None = None) -> Photos:
    """The images of the wanted rows at that shape or, when it is None, at the one they have in common.

    UserError when none can be read, unless a shape is given.
    """
    name, values = str(cells.name), cells.to_numpy(dtype=object)
    rows = [i for i in np.flatnonzero(wanted).tolist() if _is_image(values[i])]
    given = [values[i] for i in rows]
    if all(isinstance(each, ImageFile) for each in given):
        trees = {folder: FileTree(folder, ()) for folder in {each.folder for each in given}}
        files = [Listed(trees[each.folder], each.path, each.path) for each in given]
        taken = pictures(files, [True] * len(files), shape)
    else:
        taken = _decoded(given, shape)
    bad = dict(taken.unreadable)
    if not taken.rows and shape is None:
        why = f" ({name_of(given[0], 0)}: {next(iter(bad.values()))})" if bad else ""
        raise UserError(f"none of the images in column '{name}' can be read{why}")
    unreadable = {rows[i]: why for i, why in bad.items()}
    said = [f"column '{name}': {taken.sizing}"] * bool(taken.sizing)
    if bad:
        shown = ", ".join(f"{name_of(given[i], rows[i])} ({why})" for i, why in list(bad.items())[:3])
        said.append(f"{counted(len(bad), 'image')} of column '{name}' cannot be read: {shown}{', …' * (len(bad) > 3)}")
    absent = {row: ABSENT for row in np.flatnonzero(wanted).tolist() if not _is_image(values[row])}
    if absent:
        said.append(f"{counted(len(absent), 'row')} without an image in column '{name}'")
    kept = np.array([rows[i] for i in taken.rows], np.int64)
    return Photos(name, taken.images, kept, taken.hashes, unreadable | absent, (*said, *taken.said))


def name_of(cell: Any, row: int) -> str:
    """What an image is called in notes: its path, else its row."""
    return cell.path if isinstance(cell, ImageFile) else f"row {row + 1}"


# -- what cells are -------------------------------------------------------------------------------------------


def _first(values: pd.Series) -> Any:
    place = values.first_valid_index()
    return None if place is None else values.loc[place]


def _is_image(cell: Any) -> bool:
    return isinstance(cell, ImageFile | bytes | Image.Image) or (isinstance(cell, np.ndarray) and cell.ndim in {2, 3})


def _opened(values: pd.Series) -> pd.Series:
    """The bytes or else the paths in cells as `datasets` writes images, {bytes, path}; others stay as they are."""
    plain = [
        cell.get("bytes") or cell.get("path") if isinstance(cell, dict) and cell.keys() == {"bytes", "path"} else cell
        for cell in values
    ]
    return pd.Series(plain, dtype=object, index=values.index)


def _names_images(values: pd.Series) -> bool:
    """Whether nearly all values of a column end as the names of images do."""
    present = values.dropna()
    if not len(present) or not isinstance(present.iloc[0], str):
        return False
    names = pd.unique(present)
    fitting = [isinstance(name, str) and Path(name.strip()).suffix.lower() in IMAGES for name in names]
    return float(np.mean(fitting)) >= MOSTLY


def _located(values: pd.Series, folder: Path | None, column: str, table: str) -> list[ImageFile | bytes | None]:
    root = (folder or Path()).resolve()
    found: list[ImageFile | bytes | None] = []
    for value in values:
        if not isinstance(value, str) or not value.strip():
            found.append(value if isinstance(value, bytes) else None)
            continue
        path = Path(value.strip().replace("\\", "/"))
        inside = Path(path if path.is_absolute() else root / path).resolve()
        if folder is not None and not inside.is_relative_to(root):
            raise UserError(
                f"column '{column}' of {table} names {value}, which lies outside the table's folder: put the table "
                "into a folder above its images, or exclude the column"
            )
        below = inside.is_relative_to(root)
        found.append(ImageFile(root, inside.relative_to(root).as_posix()) if below else _elsewhere(inside))
    return found


def _elsewhere(path: Path) -> ImageFile:
    return ImageFile(path.parent, path.name)


# -- pixels ---------------------------------------------------------------------------------------------------


def _decoded(cells: Sequence[Any], shape: Shape | None) -> Pictures:
    """The images in cells that hold them."""
    pile = room.Pile(room.available_memory() // room.COPIES)
    read = image_files.Decoded([], [], pile, [], ())
    bad = list[tuple[int, str]]()
    with image_files.quiet():
        for number, cell in enumerate(cells):
            file = _file(cell)
            read.hashes.append(file.hash)
            if file.pixels is None:
                bad.append((number, file.why))
                continue
            read.places.append(number)
            pile.append(file.pixels)
            read.sizes.append(file.size)
    return picture(replace(read, unreadable=tuple(bad)), [True] * len(cells), shape)


def _file(cell: Any) -> image_files.File:
    if isinstance(cell, ImageFile):
        return image_files.read_one(Listed(FileTree(cell.folder, ()), cell.path, cell.path))
    if isinstance(cell, bytes):
        return image_files.decoded(cell)
    try:
        if isinstance(cell, np.ndarray):
            pixels = images.from_array(cell[None])[0][0]
            cell = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        packed = io.BytesIO()
        images.to_8bit(cell).save(packed, "BMP")
    except (OSError, ValueError) as error:
        return image_files.File(b"", why=str(error).split("\n")[0][:120])
    return image_files.decoded(packed.getvalue())
