"""Images to 8-bit pixels: every mode and orientation, one common size."""

import io
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from steelyard.data import room
from steelyard.data.mapped import Images, MappedImages
from steelyard.errors import UserError

SIDE = 64  # pixels of the longer side, at most
PIXELS = 100_000_000  # of one image; more is taken for a decompression bomb
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "DIB")  # none that starts other programs
Size = tuple[int, int]  # width, height
Shape = tuple[int, int, int]  # height, width, channels


def decode(data: bytes) -> tuple[np.ndarray, Size]:
    """Upright 8-bit pixels, (h, w) when grey and (h, w, 3) when coloured, and the stored size.

    Transparency is laid over white; 16 bits are scaled to 8; of an animation the first picture is taken. An image
    whose shorter side is longer than `SIDE` is brought down to it.
    """
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.width * image.height > PIXELS:
        raise ValueError(f"{image.width}x{image.height} pixels are too many")
    size = image.size
    if image.format == "JPEG":
        image.draft(image.mode, (2 * SIDE, 2 * SIDE))
    image.load()
    if image.format not in {"PNG", "GIF", "BMP", "PPM"} or "exif" in image.info:
        turned = image.getexif().get(0x0112, 1)
        image = ImageOps.exif_transpose(image)
        size = (size[1], size[0]) if turned >= 5 else size
    image = to_8bit(image)
    image = _reduced(image)
    return _without_colour(np.array(image)), size


def to_8bit(image: Image.Image) -> Image.Image:
    """The image in mode L or RGB."""
    if image.mode in {"L", "RGB"} and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_deep_to_8bit(np.asarray(image)))
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("RGB")
    return image.convert("RGB")


def common_shape(sizes: list[Size], channels: int) -> tuple[Shape, str]:
    """The (height, width, channels) all images are brought to, and what is said about it.

    One shared size of at most `SIDE` pixels is kept. Otherwise the longer side is the median one, at most `SIDE`, and
    the aspect is the median one (square within a tenth, never beyond 1:2). Images are stretched to it, not cropped.
    """
    widths, heights = np.array(sizes).T
    different = len(set(sizes))
    if different == 1 and max(sizes[0]) <= SIDE:
        tiny = " (a single pixel each: is that meant?)" if sizes[0] == (1, 1) else ""
        return (sizes[0][1], sizes[0][0], channels), f"images are {sizes[0][0]}x{sizes[0][1]} pixels{tiny}"
    longer = min(SIDE, int(np.median(np.maximum(widths, heights))))
    aspect = float(np.median(widths / heights))
    if different > 1:
        aspect = 1.0 if 0.9 < aspect < 1.1 else min(max(aspect, 0.5), 2.0)
    width = longer if aspect >= 1 else max(1, round(longer * aspect))
    height = longer if aspect <= 1 else max(1, round(longer / aspect))
    came = f"{sizes[0][0]}x{sizes[0][1]}" if different == 1 else f"{different} different sizes"
    return (height, width, channels), f"images of {came} are brought to {width}x{height} pixels"


def stack(pixels: Iterable[np.ndarray], count: int, shape: Shape) -> Images:
    """uint8 (n, h, w, c): `count` images brought to the shape, grey ones repeated or colours weighed to grey as needed.

    What does not fit into memory lies in a file. Raises UserError when the disk has no room either.
    """
    whole = (count, *shape)
    result = np.empty(whole, np.uint8) if room.fits(math.prod(whole)) else room.on_disk(whole)
    for row, array in enumerate(pixels):
        result[row] = brought(array, shape)
    if isinstance(result, np.memmap):
        result.flush()
        return MappedImages.whole(Path(str(result.filename)))
    return result


def brought(array: np.ndarray, shape: Shape) -> np.ndarray:
    """One image (h, w) or (h, w, 3) as (height, width, c), or as (height, width, 1) when it is grey."""
    height, width, channels = shape
    if array.ndim == 3 and channels == 1:
        array = np.asarray(Image.fromarray(array).convert("L"))
    if array.shape[:2] != (height, width):
        array = np.asarray(Image.fromarray(array).resize((width, height), Image.Resampling.LANCZOS))
    return array[:, :, None] if array.ndim == 2 else array


def from_array(x: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """uint8 (n, h, w, c) from (n, h, w) or (n, h, w, c) of any number type, and what was done.

    Whole numbers within 0..255 stay as they are; fractions within 0..1 are taken times 255, 16 bits divided by 257.
    """
    notes: tuple[str, ...] = ()
    if x.ndim == 4 and x.shape[-1] not in {1, 3, 4} and x.shape[1] in {1, 3, 4}:
        x = x.transpose(0, 2, 3, 1)
        notes = ("images come as (n, channels, height, width): turned to (n, height, width, channels)",)
    x = x[..., None] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[-1] not in {1, 3, 4} or 0 in x.shape:
        raise UserError(f"images need shape (n, h, w) or (n, h, w, 1, 3 or 4), got {x.shape}")
    x = _array_to_8bit(x)
    if x.shape[-1] == 4:
        alpha = x[..., 3:].astype(np.float32) / 255
        x = np.rint(x[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(x), notes


def _array_to_8bit(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.uint8:
        return x
    if x.dtype == np.bool_:
        return x.astype(np.uint8) * 255
    if not np.issubdtype(x.dtype, np.number) or not np.isfinite(x).all() or x.min() < 0 or x.max() > 65535:
        raise UserError("image arrays need finite numbers within 0..1, 0..255 or 0..65535: scale them first")
    if x.max() > 255:
        return np.asarray(np.rint(x / 257), dtype=np.uint8)
    fractions = np.issubdtype(x.dtype, np.floating) and x.max() <= 1 and bool(np.any(x != np.floor(x)))
    return np.asarray(np.rint(x * 255 if fractions else x), dtype=np.uint8)


def _deep_to_8bit(x: np.ndarray) -> np.ndarray:
    """8 bits from 16-bit whole numbers or from floats within 0..1 or 0..255."""
    if np.issubdtype(x.dtype, np.floating):
        return np.asarray(np.clip(x * 255 if np.nanmax(x) <= 1 else x, 0, 255).round(), dtype=np.uint8)
    deep = x.dtype.itemsize == 2 or x.max() > 255
    return np.clip(np.rint(x / 257) if deep else x, 0, 255).astype(np.uint8)


def _reduced(image: Image.Image) -> Image.Image:
    """The image with its shorter side at most `SIDE` (and the longer at most four times that)."""
    shorter, longer = sorted(image.size)
    scale = min(SIDE / shorter, 4 * SIDE / longer)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _without_colour(array: np.ndarray) -> np.ndarray:
    """(h, w) when the three channels are the same."""
    if (
        array.ndim == 3
        and np.array_equal(array[..., 0], array[..., 1])
        and np.array_equal(array[..., 0], array[..., 2])
    ):
        return array[..., 0]
    return array
