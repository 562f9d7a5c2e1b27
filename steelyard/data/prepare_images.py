"""Images to arrays: brought to one size, channels first; mean and spread per channel learnt from train rows."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from steelyard.data import room
from steelyard.data.dataset import Dataset
from steelyard.data.mapped import Images, chunks
from steelyard.data.prepared import ImageShape, Inputs
from steelyard.errors import UserError
from steelyard.knobs import knob
from steelyard.parts import Preparation

CLASSICAL_SIDE = 16  # pixels on the longer side for classical models: forests and k-NN stay quick


@dataclass(frozen=True)
class ImagePreparation(Preparation):
    """How images become arrays.

    `size` is the longest side in pixels after averaging over areas; 0, or a size that would enlarge, keeps images as
    stored. `center` is the share of both sides that is cut out of the middle before. `target` = "log" asks the
    training code to learn log(1 + target).
    """

    size: int = knob(0, 0, 1024)
    center: float = knob(1.0, 0.1, 1.0)
    target: Literal["standard", "log"] = "standard"

    def fit(self, dataset: Dataset) -> "FittedImages":
        """The preparation fitted on the rows given: hand it train rows only."""
        images = _images(dataset)
        cut = _central(images, self.center)
        height, width = _within(cut[0].stop - cut[0].start, cut[1].stop - cut[1].start, self.size)
        mean, std = _moments(images, cut, height, width)
        return FittedImages(self, ImageShape(images.shape[3], height, width, mean, std))

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "FittedImages":
        """The fitted preparation from its `to_dict`."""
        return FittedImages.from_dict(given)


@dataclass(frozen=True)
class FittedImages:
    """An `ImagePreparation` with what it learnt from train rows; implements `Prepared`."""

    preparation: ImagePreparation
    shape: ImageShape

    def transform(self, dataset: Dataset) -> Inputs:
        """One array uint8 (n, channels, height, width), mapped from a file when memory does not hold it."""
        images, shape = self._checked(dataset), self.shape
        cut = _central(images, self.preparation.center)
        found = room.empty((len(images), shape.channels, shape.height, shape.width))
        for begin, chunk in chunks(images):
            found[begin : begin + len(chunk)] = _resized(chunk[:, *cut], shape.height, shape.width).transpose(
                0, 3, 1, 2
            )
        return (found,)

    def matrix(self, dataset: Dataset) -> np.ndarray:
        """Float32 (n, features) in 0..1: images averaged down to at most 16 pixels a side, then flattened."""
        factor = -(-max(self.shape.height, self.shape.width) // CLASSICAL_SIDE)
        height, width = (-(-side // factor) for side in (self.shape.height, self.shape.width))
        images = self._checked(dataset)
        cut = _central(images, self.preparation.center)
        found = np.empty((len(images), height * width * self.shape.channels), np.float32)
        for begin, chunk in chunks(images):
            found[begin : begin + len(chunk)] = _resized(chunk[:, *cut], height, width).reshape(len(chunk), -1)
        return found / 255

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        shape = asdict(self.shape) | {"mean": list(self.shape.mean), "std": list(self.shape.std)}
        return {"kind": self.preparation.kind, "preparation": self.preparation.plain(), "shape": shape}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedImages":
        """The fitted preparation from `to_dict`."""
        shape = given["shape"] | {"mean": tuple(given["shape"]["mean"]), "std": tuple(given["shape"]["std"])}
        return cls(ImagePreparation.read(given["preparation"]), ImageShape(**shape))

    def _checked(self, dataset: Dataset) -> Images:
        images = _images(dataset)
        if images.shape[3] != self.shape.channels:
            raise UserError(
                f"the model was trained on images with {self.shape.channels} channels, {dataset.name} has "
                f"{images.shape[3]}; convert the images to {'grey' if self.shape.channels == 1 else 'colour'}"
            )
        return images


def _images(dataset: Dataset) -> Images:
    if dataset.images is None:
        raise TypeError(f"{dataset.name} holds no images")
    return dataset.images


def _central(images: Images, share: float) -> tuple[slice, slice]:
    """The rows and columns of the middle, that share of either side."""
    sides = [(side, max(1, round(side * share))) for side in images.shape[1:3]]
    rows, columns = (slice((side - kept) // 2, (side - kept) // 2 + kept) for side, kept in sides)
    return rows, columns


def _within(height: int, width: int, size: int) -> tuple[int, int]:
    longest = max(height, width)
    if size == 0 or size >= longest:
        return height, width
    return max(1, round(height * size / longest)), max(1, round(width * size / longest))


def _resized(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Images uint8 (n, height, width, c): areas averaged when they shrink, bilinear when they grow."""
    if images.shape[1:3] == (height, width):
        return images
    filter_ = Image.Resampling.BOX if height <= images.shape[1] else Image.Resampling.BILINEAR
    resized = np.empty((len(images), height, width, images.shape[3]), np.uint8)
    for channel in range(images.shape[3]):
        for row, image in enumerate(images[..., channel]):
            resized[row, ..., channel] = np.asarray(Image.fromarray(image).resize((width, height), filter_))
    return resized


def _moments(
    images: Images, cut: tuple[slice, slice], height: int, width: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread per channel at that size, from exact counts of 256 levels; a constant channel has spread 1."""
    levels, counts = np.arange(256), np.zeros((images.shape[3], 256), np.int64)
    for _, chunk in chunks(images):
        small = _resized(chunk[:, *cut], height, width)
        for channel, each in enumerate(counts):
            each += np.bincount(small[..., channel].ravel(), minlength=256)
    total = counts[0].sum()
    means = [float(each @ levels / total) for each in counts]
    stds = [float(each @ (levels - mean) ** 2 / total) ** 0.5 or 1.0 for each, mean in zip(counts, means, strict=True)]
    return tuple(means), tuple(stds)
