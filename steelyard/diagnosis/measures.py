"""Numbers that sum up what cannot be told by a value: how images look, how long texts are, what course series take."""

import re

import numpy as np
import pandas as pd

from steelyard.data.course import lengths, statistics
from steelyard.data.dataset import Dataset

Array = np.ndarray
CHUNK = 1024  # images at once
CHANNELS = 4  # of a series that are summed up
RARE = 3  # rows in fewer of which a word stands that counts as rare
WORD = re.compile(r"\w+")
COURSE = ("level", "spread", "minimum", "maximum", "slope", "roughness", "missing")  # as `course.statistics` has them
TOLD = {"level", "spread", "slope", "roughness", "missing"}


def measures(dataset: Dataset) -> dict[str, Array]:
    """(n,) float for every measure of the images, texts and series of a data set; those that never differ are left out.

    Sizes of images are not among them: all were brought to one when they were read.
    """
    found: dict[str, Array] = {}
    if dataset.images is not None:
        found |= of_images(dataset.images)
    if dataset.frame is not None:
        for column in dataset.schema.columns:
            if column.kind == "text":
                found |= of_texts(dataset.frame[column.name], column.name)
    if dataset.series is not None:
        found |= of_series(dataset.series, tuple(column.name for column in dataset.schema.columns))
    return {name: values for name, values in found.items() if len(np.unique(values)) > 1}


def of_images(images: Array) -> dict[str, Array]:
    """Brightness and contrast (mean and spread of the grey values, 0 to 1), sharpness and, in colour, colourfulness.

    Sharpness is the spread of the Laplacian (Pech-Pacheco et al. 2000, ICPR 3, 314-317), colourfulness the mean
    spread of the channels of a pixel.
    """
    parts = []
    for start in range(0, len(images), CHUNK):
        pixels = np.asarray(images[start : start + CHUNK], dtype=np.float32) / 255
        grey = pixels.mean(axis=3)
        inner = (
            grey[:, 1:-1, 1:-1] * 4 - grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1] - grey[:, 1:-1, :-2] - grey[:, 1:-1, 2:]
        )
        sharp = inner.std(axis=(1, 2)) if inner.size else np.zeros(len(pixels))
        colour = pixels.std(axis=3).mean(axis=(1, 2))
        parts.append(np.stack([grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), sharp, colour], axis=1))
    found = np.concatenate(parts).astype(float)
    return dict(zip(("brightness", "contrast", "sharpness", "colourfulness"), found.T, strict=True))


def of_texts(texts: pd.Series, name: str) -> dict[str, Array]:
    """How many words each text of a column has, and the share of them that stand in hardly any other row; NaN: none."""
    words = [[] if text is None else [w.lower() for w in WORD.findall(str(text))] for text in texts]
    seen: dict[str, int] = {}
    for row in words:
        for word in set(row):
            seen[word] = seen.get(word, 0) + 1
    rare = [sum(seen[word] < RARE for word in row) / len(row) if row else np.nan for row in words]
    return {
        f"words of {name}": np.array([float(len(row)) for row in words]),
        f"share of rare words of {name}": np.array(rare),
    }


def of_series(values: Array, channels: tuple[str, ...]) -> dict[str, Array]:
    """The length of each series (n, channels, time); level, spread, slope, mean step and gaps of its first channels."""
    known = values[:, :CHANNELS]
    summed = statistics(np.asarray(known, float), values.shape[2])
    found = {"length": lengths(values).astype(float)}
    for place, course in enumerate(COURSE):
        for channel in range(known.shape[1]):
            of = f" of {channels[channel]}" if channels and values.shape[1] > 1 else ""
            if course in TOLD:
                found[f"{course}{of}"] = summed[:, place * known.shape[1] + channel]
    return found
