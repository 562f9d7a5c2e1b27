"""Images to arrays: brought to one size, channels first; mean and spread per channel learnt from train rows."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.data.prepared import ImageShape, Inputs
from steelyard.errors import UserError
from steelyard.knobs import knob
from steelyard.parts import Preparation

CLASSICAL_SIDE = 16  # pixels on the longer side for classical models: forests and k-NN stay quick
CHUNK = 4096  # images counted at once


@dataclass(frozen=True)
class ImagePreparation(Preparation):
    """How images become arrays.

    `size` is the longest side in pixels after averaging over areas; 0, or a size that would enlarge, keeps images as
    stored. `target` = "log" asks the training code to learn log(1 + target).
    """

    size: int = knob(0, 0, 1024)
    target: Literal["standard", "log"] = "standard"

    def fit(self, dataset: Dataset) -> "FittedImages":
        """The preparation fitted on the rows given: hand it train rows only."""
        images = _images(dataset)
        height, width = _within(images.shape[1], images.shape[2], self.size)
        mean, std = _moments(_resized(images, height, width))
        return FittedImages(self, ImageShape(images.shape[3], height, width, mean, std))


@dataclass(frozen=True)
class FittedImages:
    """An `ImagePreparation` with what it learnt from train rows; implements `Prepared`."""

    preparation: ImagePreparation
    shape: ImageShape

    def transform(self, dataset: Dataset) -> Inputs:
        """One array uint8 (n, channels, height, width)."""
        images = _resized(self._checked(dataset), self.shape.height, self.shape.width)
        return (np.ascontiguousarray(images.transpose(0, 3, 1, 2)),)

    def matrix(self, dataset: Dataset) -> np.ndarray:
        """Float32 (n, features) in 0..1: images averaged down to at most 16 pixels a side, then flattened."""
        factor = -(-max(self.shape.height, self.shape.width) // CLASSICAL_SIDE)
        height, width = (-(-side // factor) for side in (self.shape.height, self.shape.width))
        small = _resized(self._checked(dataset), height, width)
        return small.reshape(len(small), height * width * self.shape.channels).astype(np.float32) / 255

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        shape = asdict(self.shape) | {"mean": list(self.shape.mean), "std": list(self.shape.std)}
        return {"kind": self.preparation.kind, "preparation": self.preparation.plain(), "shape": shape}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedImages":
        """The fitted preparation from `to_dict`."""
        shape = given["shape"] | {"mean": tuple(given["shape"]["mean"]), "std": tuple(given["shape"]["std"])}
        return cls(ImagePreparation.read(given["preparation"]), ImageShape(**shape))

    def _checked(self, dataset: Dataset) -> np.ndarray:
        images = _images(dataset)
        if images.shape[3] != self.shape.channels:
            raise UserError(
                f"the model was trained on images with {self.shape.channels} channels, {dataset.name} has "
                f"{images.shape[3]}; convert the images to {'grey' if self.shape.channels == 1 else 'colour'}"
            )
        return images


def _images(dataset: Dataset) -> np.ndarray:
    if dataset.images is None:
        raise TypeError(f"{dataset.name} holds no images")
    return dataset.images


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


def _moments(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread per channel, from exact counts of the 256 levels; a constant channel has spread 1."""
    levels = np.arange(256)
    means, stds = list[float](), list[float]()
    for channel in range(images.shape[3]):
        chunks = (images[i : i + CHUNK, ..., channel].ravel() for i in range(0, len(images), CHUNK))
        counts = sum((np.bincount(chunk, minlength=256) for chunk in chunks), np.zeros(256, np.int64))
        mean = float(counts @ levels / counts.sum())
        means.append(mean)
        stds.append(float(counts @ (levels - mean) ** 2 / counts.sum()) ** 0.5 or 1.0)
    return tuple(means), tuple(stds)
